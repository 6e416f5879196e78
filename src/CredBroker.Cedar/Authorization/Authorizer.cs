using CredBroker.Cedar.Expressions;

namespace CredBroker.Cedar;

/// <summary>
/// Decides requests by a policy set: default deny, forbid over permit. The set is indexed by scope when the authorizer is made: keep it, and use it for many
/// requests. Safe for use by many threads.
/// </summary>
public sealed class Authorizer
{
    private readonly PolicyIndex _index;
    private readonly long _maxSteps;

    /// <summary>Compiles a set.</summary>
    /// <param name="policies">The policies; templates have no say.</param>
    /// <param name="maxSteps">What one decision may cost before it is denied; see <see cref="EvaluationLimits.MaxSteps"/>.</param>
    public Authorizer(PolicySet policies, long maxSteps = EvaluationLimits.MaxSteps)
    {
        ArgumentNullException.ThrowIfNull(policies);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxSteps);
        (Policies, _maxSteps) = (policies, maxSteps);
        _index = PolicyIndex.Build(policies.Policies);
    }

    /// <summary>The policies that decide.</summary>
    public PolicySet Policies { get; }

    /// <summary>
    /// Decides one request, exactly as the Cedar specification says. Never throws on what requests and entities contain. One thing is ours: a decision that
    /// takes too many steps is denied, with an error at the policy that it stopped at.
    /// </summary>
    /// <param name="request">The question.</param>
    /// <param name="entities">What is known of the entities; for policies that name action groups also the actions (<see cref="Schema.ActionEntities"/>).</param>
    public Response IsAuthorized(Request request, EntityStore entities)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(entities);
        var evaluation = new Evaluation(request, entities, _maxSteps);
        var tally = new Tally();
        var candidates = new CandidateList(stackalloc int[64]);
        try
        {
            _index.Collect(new ScopeQuery(request.Principal, request.Action, request.Resource, entities), ref candidates);
            foreach (var position in candidates.ToOrdered())
            {
                tally.Add(Policies.Policies[position], evaluation);
                if (evaluation.IsExhausted)
                    break;
            }
        }
        finally
        {
            candidates.Dispose();
        }
        return tally.ToResponse(evaluation.IsExhausted);
    }

    /// <summary>
    /// Decides one request and shows how: what every policy made of it, with the values of its expressions. The answer is that of
    /// <see cref="IsAuthorized(Request, EntityStore)"/>. Costs as much as looking at all policies, and more for deep expressions: it is for people, not for deciding.
    /// </summary>
    /// <param name="request">The question.</param>
    /// <param name="entities">What is known of the entities.</param>
    public Explanation Explain(Request request, EntityStore entities)
    {
        var response = IsAuthorized(request, entities);
        var tracer = new Tracer(request, entities, _maxSteps);
        return new Explanation(response, [.. Policies.Policies.Select(tracer.Trace)]);
    }

    /// <summary>
    /// Says what can be said of a request of which part is unknown: that it is allowed or denied whatever the unknown is, or on which policies it depends.
    /// Allow and deny are certain; depends may turn out to be certain after all, once more is known.
    /// </summary>
    /// <param name="request">The question.</param>
    /// <param name="entities">What is known of the entities. The unknown resource may be one of them, or any other.</param>
    public PartialResponse IsAuthorized(PartialRequest request, EntityStore entities)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(entities);
        var candidates = new CandidateList(stackalloc int[64]);
        try
        {
            _index.Collect(new ScopeQuery(request.Principal, request.Action, request.Resource, entities), ref candidates);
            var policies = new List<Policy>();
            foreach (var position in candidates.ToOrdered())
                policies.Add(Policies.Policies[position]);
            return PartialAuthorizer.Decide(request, entities, policies, new Evaluation(PartialEvaluator.Known(request), entities, _maxSteps));
        }
        finally
        {
            candidates.Dispose();
        }
    }

    /// <summary>What the policies say, before it is known which of them count.</summary>
    private struct Tally
    {
        private static readonly Response NothingApplies = new(Decision.Deny, [], []);

        private List<Policy>? _permits;
        private List<Policy>? _forbids;
        private List<PolicyError>? _errors;

        public void Add(Policy policy, Evaluation evaluation)
        {
            switch (policy.Applies(evaluation))
            {
                case true:
                    (policy.Effect == Effect.Permit ? _permits ??= [] : _forbids ??= []).Add(policy);
                    break;
                case null:
                    var error = evaluation.TakeError();
                    (_errors ??= []).Add(new PolicyError(policy, error.Location, error.Message));
                    break;
            }
        }

        public readonly Response ToResponse(bool isExhausted)
        {
            if (_permits is null && _forbids is null && _errors is null)
                return NothingApplies;
            var determining = isExhausted ? null : _forbids ?? _permits;
            return new Response(!isExhausted && _forbids is null && _permits is not null ? Decision.Allow : Decision.Deny,
                determining is null ? [] : [.. determining], _errors is null ? [] : [.. _errors]);
        }
    }
}
