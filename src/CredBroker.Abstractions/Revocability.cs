namespace CredBroker.Abstractions;

/// <summary>What revoking means for a credential, from the strongest to the weakest.</summary>
public enum RevocabilityKind
{
    /// <summary>The credential is deleted at the target, and what it opened is cut.</summary>
    DeletesAndCutsSessions = 1,

    /// <summary>The credential is deleted at the target; what it opened before may live on.</summary>
    Deletes = 2,

    /// <summary>A deny is written at the target, which takes effect within a declared time.</summary>
    DeniesWithin = 3,

    /// <summary>Nothing can be done before its expiry.</summary>
    ExpiresOnly = 4,
}

/// <summary>What revocation means for the credentials of a role: visible to policy, on the lease and in the receipt.</summary>
/// <param name="Kind">How the credential dies.</param>
/// <param name="SettlesWithin">How long revocation needs at most to take effect at the target, once it was asked for.</param>
/// <param name="Residual">What does not notice the revocation, in one sentence; empty when nothing is left.</param>
public sealed record Revocability(RevocabilityKind Kind, TimeSpan SettlesWithin, string Residual)
{
    /// <summary>The name that policy sees as <c>resource.revocability</c>.</summary>
    public string PolicyName => Kind switch
    {
        RevocabilityKind.DeletesAndCutsSessions => "deletes_and_cuts_sessions",
        RevocabilityKind.Deletes => "deletes",
        RevocabilityKind.DeniesWithin => "denies_within",
        _ => "expires_only",
    };
}

/// <summary>What a provider saw that shows a credential to be dead.</summary>
/// <param name="Kind">A short stable name, such as <c>role_absent</c>: for machines.</param>
/// <param name="Text">What was asked and what the target answered, in the provider's words: for people. No secret.</param>
/// <param name="ObservedAt">When it was observed: the target's own clock where the target has one.</param>
public sealed record Evidence(string Kind, string Text, DateTimeOffset ObservedAt);
