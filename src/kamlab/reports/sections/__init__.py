"""What the documents say: each section turns tables into blocks; the chapters choose and order them."""
