"""Segments: how many, by which rule, and what each is like."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from kamlab import segment_rules
from kamlab.feature_list import feature
from kamlab.figures import segment_profile
from kamlab.i18n import N_, SEMICOLONS, SENTENCES, Translator
from kamlab.reports.blocks import Block, TableColumn, callout, figure, table, text
from kamlab.reports.sections.source import Source, uneven_festivals, value_word
from kamlab.segment_names import BORDERLINE, translated
from kamlab.strategies import texts

IN_TABLE = ("silence", "order_interval", "tenure", "margin_rate", "growth")
"""Features whose middle values stand in the table of the segments; the picture shows more."""
PURE = 0.7
"""A segment takes the strategy of at least this share of its expected value, else it is mixed."""


def heading(run: Source, t: Translator) -> list[Block]:
    """Heading of the chapter."""
    return [text(t("## Segments"))]


def rule(run: Source, t: Translator) -> str:
    """Return the sentence on how the number of segments came about."""
    facts = run.read_facts("segmentation")
    return t(facts["rule"], **facts["rule_values"])


METHODS = {
    "kmeans": N_("k-means"),
    "ward": N_("agglomerative (Ward)"),
    "diagonal": N_("mixture, diagonal"),
    "full": N_("mixture, full"),
}
LISTED = 15
"""Borderline accounts that are printed, those with the most value first."""


def candidates(run: Source, t: Translator) -> list[Block]:
    """Table of all divisions tried, with what each fell short of."""
    rows = run.read("candidates")
    if rows.empty:
        return [text(rule(run, t))]
    printed = pd.DataFrame(
        {
            "method": [t(METHODS[m]) for m in rows["method"]],
            "k": [t.number(k) for k in rows["k"]],
            "smallest": [t.percent(v, 1) for v in rows["smallest_share"]],
            "bic": [t.number(v) for v in rows["bic"]],
            "silhouette": [t.number(v, 3) for v in rows["silhouette"]],
            "null": [t.number(v, 3) for v in rows["null_silhouette"]],
            "stability": [t.number(v, 2) for v in rows["stability"]],
            "reason": [t(v) for v in rows["reason"]],
        }
    )
    columns = [
        TableColumn("method", t("Method")),
        TableColumn("k", t("Segments"), "right"),
        TableColumn("smallest", t("Smallest"), "right"),
        TableColumn("bic", t("BIC"), "right"),
        TableColumn("silhouette", t("Silhouette"), "right"),
        TableColumn("null", t("without structure"), "right"),
        TableColumn("stability", t("Stability"), "right"),
        TableColumn("reason", t("Verdict")),
    ]
    return [table(printed, columns=columns, caption=t("Divisions tried.")), text(rule(run, t))]


def features(run: Source, t: Translator) -> list[Block]:
    """Table of the features: which made the segments and how they were put on one scale, and why the others did not."""
    rows = run.read("feature_rules").sort_values("used", ascending=False, kind="stable")
    printed = pd.DataFrame(
        {
            "feature": [t(v) for v in rows["meaning"]],
            "known": [t.percent(v) for v in rows["known"]],
            "scale": [t("by ratio") if v == "log" else t("by difference") for v in rows["transform"]],
            "missing": [t(v) for v in rows["missing"]],
            "use": [
                t("makes the segments") if used else t(why)
                for used, why in zip(rows["used"], rows["reason"], strict=True)
            ],
        }
    )
    columns = [
        TableColumn("feature", t("Feature"), width=24),
        TableColumn("known", t("Known"), "right"),
        TableColumn("scale", t("Compared")),
        TableColumn("missing", t("A missing value")),
        TableColumn("use", t("Use")),
    ]
    note = t.join(SENTENCES, uneven_festivals(run, t))
    return [table(printed, columns=columns, caption=t("Features: how they are compared and what for."), note=note)]


def rules(run: Source, t: Translator) -> list[Block]:
    """Table of the rules that tell the segments apart, with the share of accounts that they reproduce."""
    rows = run.read("segment_rules")
    if rows.empty:
        return []
    names = run.read("profile").set_index("segment")["segment_name"]
    facts = run.read_facts("segmentation")
    printed = pd.DataFrame(
        {
            "name": [translated(names[segment], t) for segment in rows["segment"]],
            "rule": [segment_rules.written(conditions, t) for conditions in rows["conditions"]],
            "accounts": [t.number(n) for n in rows["accounts"]],
            "right": [t.percent(share) for share in rows["share_right"]],
        }
    )
    columns = [
        TableColumn("name", t("Segment"), width=22),
        TableColumn("rule", t("Rule"), width=44),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("right", t("in the segment"), "right"),
    ]
    note = t("The rules put {share} of the accounts into their segment.", share=t.percent(facts["reproduced"]))
    missing = [translated(name, t) for segment, name in names.items() if segment not in set(rows["segment"])]
    if missing:
        said = t("No rule this short tells these apart: {names}.", names=t.join(SEMICOLONS, missing))
        note = t.join(SENTENCES, [note, said])
    return [table(printed, columns=columns, caption=t("The segments in plain thresholds."), note=note)]


def borderline(run: Source, t: Translator) -> list[Block]:
    """List the accounts that might as well stand in another segment, most value first."""
    rows = run.read("segments")
    rows = rows[rows["borderline"]].merge(run.read("accounts", columns=["account", "name"]), on="account")
    rows = rows.merge(run.read("forecast", columns=["account", "expected_contribution"]), on="account")
    rows = rows.sort_values(["expected_contribution", "account"], ascending=[False, True])
    if rows.empty:
        return []
    names = run.read("profile").set_index("segment")["segment_name"].map(lambda name: translated(name, t))
    first = rows.head(LISTED)
    printed = pd.DataFrame(
        {
            "name": first["name"],
            "value": [t.money(v) for v in first["expected_contribution"]],
            "segment": [_likely(names[s], p, t) for s, p in zip(first["segment"], first["probability"], strict=True)],
            "second": [
                _likely(names[s], p, t)
                for s, p in zip(first["second_segment"], first["second_probability"], strict=True)
            ],
        }
    )
    columns = [
        TableColumn("name", t("Account")),
        TableColumn("value", value_word(run, t), "right"),
        TableColumn("segment", t("Segment")),
        TableColumn("second", t("or")),
    ]
    caption = t.plural("{n} borderline account.", "{n} borderline accounts.", len(rows))
    note = t(
        "Their own segment is less likely than {share}; those with the most value are listed.",
        share=t.percent(BORDERLINE),
    )
    return [table(printed, columns=columns, caption=caption, note=note)]


def _likely(name: str, probability: float, t: Translator) -> str:
    return t("{segment} {probability}", segment=name, probability=t.percent(probability))


def movement(run: Source, t: Translator) -> list[Block]:
    """Say how many accounts changed segment since the run before, and between which; nothing without one."""
    rows = run.read("segments")
    known = rows[rows["previous_segment_id"].notna()]
    if known.empty:
        return [text(t("No earlier run of this company lies beside this one, so there is no movement to show yet."))]
    moved = known[known["previous_segment_id"] != known["segment_id"]]
    said = t(
        "Of {known} accounts that had a segment in the run before, {moved} are in another one now.",
        known=t.number(len(known)),
        moved=t.number(len(moved)),
    )
    if moved.empty:
        return [text(said)]
    flows = moved.groupby(["previous_segment_id", "segment_id"]).size().sort_values(ascending=False, kind="stable")
    names = run.read("profile").set_index("segment_id")["segment_name"].map(lambda name: translated(name, t))
    printed = pd.DataFrame(
        {
            "before": [names.get(before, t("a segment that is gone")) for before, _ in flows.index],
            "now": [names[now] for _, now in flows.index],
            "accounts": [t.number(n) for n in flows],
        }
    )
    columns = [
        TableColumn("before", t("Before")),
        TableColumn("now", t("Now")),
        TableColumn("accounts", t("Accounts"), "right"),
    ]
    return [text(said), table(printed, columns=columns, caption=t("Accounts that changed segment."))]


def dominant(run: Source, t: Translator) -> list[Block]:
    """Name the account that brings more than half of all expected value, if there is one."""
    account = run.read_facts("segmentation")["dominant"]
    if not account:
        return []
    value = run.read("features", columns=["account", "expected_contribution"])
    value = value.set_index("account")["expected_contribution"].clip(lower=0)
    names = run.read("accounts").set_index("account")["name"]
    said = t(
        "{account} alone brings {share} of the expected value; what is large is measured without it.",
        account=str(names.get(account, account)),
        share=t.percent(value[account] / value.sum()),
    )
    return [callout("warning", said)]


def profile(run: Source, t: Translator) -> list[Block]:
    """Table of the segments: size, value, and what is typical of them."""
    return _profile(run, t, {})


def profile_and_strategy(run: Source, t: Translator) -> list[Block]:
    """Table of the segments, with the strategy that most of their value asks for."""
    labels = run.read("segments", columns=["account", "segment"])
    labels = labels.merge(run.read("strategies", columns=["account", "strategy"]), on="account")
    labels = labels.merge(run.read("forecast", columns=["account", "expected_contribution"]), on="account")
    shown = _profile(run, t, {t("Mostly"): lambda segment: _strategy(segment, labels, t)})
    return [*dominant(run, t), *shown, *rules(run, t)]


def _profile(run: Source, t: Translator, more: Mapping[str, Callable[[int], str]]) -> list[Block]:
    rows = run.read("profile")
    if not run.read_facts("segmentation")["found"]:
        return [text(rule(run, t))]
    known = [name for name in rows if rows[name].notna().any()]
    shown = [feature(name) for name in IN_TABLE if name in known]
    printed = pd.DataFrame(
        {
            "name": [translated(name, t) for name in rows["segment_name"]],
            "accounts": [t.number(n) for n in rows["accounts"]],
            "value": [t.money(v) for v in rows["contribution"]],
            "share": [t.percent(v) for v in rows["share_contribution"]],
            **{f.name: [segment_profile.written(v, f, t) for v in rows[f.name]] for f in shown},
            **{label: [write_one(segment) for segment in rows["segment"]] for label, write_one in more.items()},
        }
    )
    columns = [
        TableColumn("name", t("Segment"), width=22),
        TableColumn("accounts", t("Accounts"), "right"),
        TableColumn("value", value_word(run, t), "right"),
        TableColumn("share", t("Share"), "right"),
        *(TableColumn(f.name, t(f.head), "right") for f in shown),
        *(TableColumn(label, label) for label in more),
    ]
    drawn = segment_profile.draw(rows, t)
    picture = (
        [figure(drawn, caption=t("What is typical of each segment."), alt=segment_profile.alt(rows, t))]
        if drawn
        else []
    )
    return [
        table(
            printed,
            columns=columns,
            caption=t("The segments: size, value, and the middle account of each."),
            note=t("Growth: last 12 months against the 12 before, drawn towards none where purchases are few.")
            if "growth" in known
            else "",
        ),
        *picture,
    ]


def _strategy(segment: int, labels: pd.DataFrame, t: Translator) -> str:
    """Return the strategy of most of the segment's expected value, or that it is mixed."""
    members = labels[labels["segment"] == segment]
    value = members["expected_contribution"].clip(lower=0).groupby(members["strategy"]).sum()
    if value.sum() <= 0:
        value = members.groupby("strategy").size()
    best = str(value.idxmax())
    name = t(texts.STRATEGIES[best].name)
    share = value[best] / value.sum()
    return name if share >= PURE else t("mixed: {strategy} {share}", strategy=name, share=t.percent(share))
