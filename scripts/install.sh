#!/bin/sh
# Installs a hash-locked requirements file and kamlab itself: install.sh PYTHON REQUIREMENTS
# uv does it in a third of pip's time; where uv cannot be had or fails, plain pip reads the same file.
set -eu
python=$1
requirements=$2
# As pip does: a company's proxy often signs with a certificate that only its machines know.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS-1}"
with_uv() {
    "$python" -m pip install --quiet --require-hashes -r requirements/uv.txt &&
        UV_COMPILE_BYTECODE=1 "$python" -m uv pip install --quiet --python "$python" --require-hashes -r "$requirements" &&
        "$python" -m uv pip install --quiet --python "$python" --no-deps --no-build-isolation -e .
}
if ! with_uv; then
    echo "uv could not install $requirements; pip does it instead, which takes longer." >&2
    "$python" -m pip install --quiet --require-hashes -r "$requirements"
    "$python" -m pip install --quiet --no-deps --no-build-isolation -e .
fi
