namespace CredBroker.Providers.Azure.Tests.StandIn;

/// <summary>How long Azure takes for what it has said yes to. The defaults are within what was seen; a test may set others.</summary>
public sealed class Timing
{
    /// <summary>Until other calls know a new application: they are refused (403, 404) before.</summary>
    public TimeSpan ApplicationSpreads { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Until Resource Manager knows a new principal: <c>PrincipalNotFound</c> before.</summary>
    public TimeSpan PrincipalSpreads { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Until the token endpoint takes a new password: 4 to 18 s were seen.</summary>
    public TimeSpan PasswordSpreads { get; set; } = TimeSpan.FromSeconds(12);

    /// <summary>Until the token endpoint knows a new federated credential.</summary>
    public TimeSpan FederatedCredentialSpreads { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Until a list of passwords shows a new one, and removing it works.</summary>
    public TimeSpan PasswordIsListed { get; set; } = TimeSpan.Zero;

    /// <summary>How long the token endpoint still takes a password that was removed.</summary>
    public TimeSpan PasswordRemovalSpreads { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>Until services act on a new role assignment.</summary>
    public TimeSpan AssignmentCounts { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long services still act on a role assignment that was removed: up to 10 minutes.</summary>
    public TimeSpan AssignmentRemovalCounts { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a token lives that was taken with a client secret: 24 hours were seen.</summary>
    public TimeSpan SecretTokenLife { get; set; } = TimeSpan.FromSeconds(86_399);

    /// <summary>How long a token lives that was taken with an assertion.</summary>
    public TimeSpan AssertionTokenLife { get; set; } = TimeSpan.FromSeconds(3599);

    /// <summary>Until a soft-deleted secret is among the deleted ones.</summary>
    public TimeSpan SecretDeletionSpreads { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The clock by which assertions are judged, where a test moves Azure's ahead of a broker whose clock is the machine's.</summary>
    public TimeProvider? AssertionClock { get; set; }

    /// <summary>Nothing lags: what a test of something else wants.</summary>
    public static Timing Immediate() => new()
    {
        ApplicationSpreads = default,
        PrincipalSpreads = default,
        PasswordSpreads = default,
        FederatedCredentialSpreads = default,
        PasswordRemovalSpreads = default,
        AssignmentCounts = default,
        AssignmentRemovalCounts = default,
        SecretDeletionSpreads = default,
    };
}
