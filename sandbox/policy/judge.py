"""The answer to a call that was asked: the same cases as the filter's, then the rule. Pure."""

from __future__ import annotations

from sandbox.policy import Policy
from sandbox.policy.rules import Call, Facts, Rule, Verdict, values_of
from sandbox.policy.values import VALUES, value_arguments

_UNJUDGED = Verdict(reason="broken")


def judge(policy: Policy, name: str, arguments: tuple[int, ...], thread: int, sandbox: Facts) -> Verdict:
    """What ``policy`` answers to the call ``name``, made by ``thread`` with the six raw ``arguments``.

    A call that the policy does not ask about is refused: the filter never sends one.
    """
    rule = _rule(policy, name, arguments)
    if rule is None:
        return _UNJUDGED
    values = value_arguments(name, values_of(rule))
    return rule(Call(name, thread, sandbox), **{key: argument.of(arguments) for key, argument in values.items()})


def _rule(policy: Policy, name: str, arguments: tuple[int, ...]) -> Rule | None:
    if name in policy.asked:
        return policy.asked[name]
    for case in policy.cases.get(name, ()):
        if case.match.meets(arguments[VALUES[name][case.match.argument].index]):
            return None if isinstance(case.answer, int) else case.answer
    return None
