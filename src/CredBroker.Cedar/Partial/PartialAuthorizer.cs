using System.Collections.Immutable;
using CredBroker.Cedar.Expressions;

namespace CredBroker.Cedar;

/// <summary>Puts together what may come of each policy.</summary>
internal static class PartialAuthorizer
{
    public static PartialResponse Decide(PartialRequest request, EntityStore entities, IEnumerable<Policy> candidates, Evaluation evaluation)
    {
        var evaluator = new PartialEvaluator(request, entities, evaluation);
        List<Policy> permits = [], forbids = [], open = [], failing = [];
        var (mayPermit, mayForbid) = (false, false);
        foreach (var policy in candidates)
        {
            var outcomes = evaluator.Applies(policy);
            if (evaluation.IsExhausted)
                return new PartialResponse.Deny([], [policy]);
            if (outcomes.Has(Outcomes.Error))
                failing.Add(policy);
            if (!outcomes.Has(Outcomes.True))
                continue;
            if (policy.Effect == Effect.Permit)
                mayPermit = true;
            else
                mayForbid = true;
            var certain = policy.Effect == Effect.Permit ? permits : forbids;
            (outcomes == Outcomes.True ? certain : open).Add(policy);
        }
        ImmutableArray<Policy> mayFail = [.. failing];
        if (forbids.Count > 0 || !mayPermit)
            return new PartialResponse.Deny([.. forbids], mayFail);
        return permits.Count > 0 && !mayForbid ? new PartialResponse.Allow([.. permits], mayFail) : new PartialResponse.Depends([.. open], mayFail);
    }
}
