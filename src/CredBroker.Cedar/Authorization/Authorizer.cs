using CredBroker.Cedar.Expressions;

namespace CredBroker.Cedar;

/// <summary>Decides requests by a policy set: default deny, forbid over permit.</summary>
/// <param name="policies">The policies; templates have no say.</param>
public sealed class Authorizer(PolicySet policies)
{
    /// <summary>The policies that decide.</summary>
    public PolicySet Policies { get; } = policies;

    /// <summary>Decides one request, exactly as the Cedar specification says. Never throws on what requests and entities contain.</summary>
    /// <param name="request">The question.</param>
    /// <param name="entities">What is known of the entities; for policies that name action groups also the actions (<see cref="Schema.ActionEntities"/>).</param>
    public Response IsAuthorized(Request request, EntityStore entities)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(entities);
        var evaluation = new Evaluation(request, entities);
        List<Policy>? permits = null, forbids = null;
        List<PolicyError>? errors = null;
        foreach (var policy in Policies.Policies)
        {
            switch (policy.Applies(evaluation))
            {
                case true:
                    (policy.Effect == Effect.Permit ? permits ??= [] : forbids ??= []).Add(policy);
                    break;
                case null:
                    var error = evaluation.TakeError();
                    (errors ??= []).Add(new PolicyError(policy, error.Location, error.Message));
                    break;
            }
        }
        var determining = forbids ?? permits;
        return new Response(forbids is null && permits is not null ? Decision.Allow : Decision.Deny,
            determining is null ? [] : [.. determining], errors is null ? [] : [.. errors]);
    }
}
