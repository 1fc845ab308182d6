"""Every number that the documents print comes again from the table, column and filter that its trace names."""

from traced_numbers import Numbers

from kamlab.reports.traces import TRACES

DOCUMENTS = ("05_management_report", "06_account_plans", "07_period_review", "08_appendix")


def test_every_number_of_the_documents_comes_again_from_its_trace(sample):
    """Found in the executed notebooks by reading, and recomputed from the run's tables by the traces' queries."""
    numbers = Numbers(sample.link, TRACES)
    for document in DOCUMENTS:
        numbers.read(f"{document}.en.ipynb")
    assert [str(finding) for finding in numbers.findings] == []
    assert numbers.counted > 6000
    for wrong in ("Revenue rose 6% to CNY 1.09 bn", "Revenue rose by a tenth, or CNY 1 M"):
        numbers.cover(wrong, {})
    assert [finding.said.partition(",")[0] for finding in numbers.findings] == [
        "percent prints ['6%']",
        "no trace for CNY 1 M",
    ]
