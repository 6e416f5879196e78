namespace CredBroker.Core.Identity;

/// <summary>Where an issuer's keys are. Sources with the same place share what was fetched from it.</summary>
internal abstract record KeyPlace
{
    private KeyPlace()
    {
    }

    /// <summary>In the operator's configuration.</summary>
    public sealed record Inline(VerificationKeys Keys) : KeyPlace;

    /// <summary>In a file of the operator's.</summary>
    public sealed record File(string Path) : KeyPlace;

    /// <summary>At a URL that the administrator named.</summary>
    public sealed record Url(string Address) : KeyPlace;

    /// <summary>Where a discovery document says, if it is this issuer's.</summary>
    public sealed record Discovery(string Address, string Issuer) : KeyPlace;
}
