namespace CredBroker.Policies;

/// <summary>The annotations that mean something to the broker.</summary>
public static class ReservedAnnotations
{
    /// <summary>On a permit: the longest life, such as <c>15m</c>.</summary>
    public const string MaxTtl = "max_ttl";

    /// <summary>On a permit that reads what a caller merely says: why that is enough.</summary>
    public const string TrustsDeclared = "trusts_declared";

    /// <summary>On a forbid: a person's approval would lift it, and who could give it. Until there are approvals, it forbids.</summary>
    public const string RequireApproval = "require_approval";

    /// <summary>The policy's name in decisions.</summary>
    public const string Id = "id";

    /// <summary>What it is for, in words.</summary>
    public const string Description = "description";

    /// <summary>All of them: an annotation that is nearly one of these is a misspelling.</summary>
    public static IReadOnlyList<string> All { get; } = [MaxTtl, TrustsDeclared, RequireApproval, Id, Description];
}
