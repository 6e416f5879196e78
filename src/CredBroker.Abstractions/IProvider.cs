namespace CredBroker.Abstractions;

/// <summary>
/// A live connection to one target under one generation of its configuration. It grows by properties on the records, never by methods;
/// abilities that not every target has are interfaces of their own.
/// </summary>
public interface IProvider : IAsyncDisposable
{
    /// <summary>Makes one credential. It is called once for a lease and never retried: a lost answer would become two credentials.</summary>
    /// <exception cref="ProviderException">It failed; its effect says whether something may have been made.</exception>
    Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken);

    /// <summary>Ends one credential. Idempotent: what is not there, on the same target and past any late effect, is gone.</summary>
    /// <exception cref="ProviderException">It failed, and will be tried again.</exception>
    Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken);

    /// <summary>Asks the target who it is and what is missing there. It changes nothing at the target.</summary>
    /// <exception cref="ProviderException">The target could not be asked.</exception>
    Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken);
}

/// <summary>A provider whose credentials can be given a longer life.</summary>
public interface IRenewingProvider
{
    /// <summary>Moves the end of a live credential. Answers when it now ends.</summary>
    /// <exception cref="ProviderException">It failed; the longer life may have taken effect unless its effect says otherwise.</exception>
    Task<DateTimeOffset> RenewAsync(RenewRequest request, CancellationToken cancellationToken);
}

/// <summary>A provider that can list what is outstanding at the target.</summary>
public interface IListingProvider
{
    /// <summary>
    /// The role kinds of which a complete listing names every credential that lives and was issued under this configuration. Absence says something about these alone, and
    /// no more than a proven end does: it may take <see cref="Revocability.SettlesWithin"/> until everybody notices. Others may be listed or not: that one of theirs is
    /// absent says nothing. A kind whose credentials can outlive the thing that is listed is not here.
    /// </summary>
    IReadOnlyCollection<string> ListedKinds { get; }

    /// <summary>Everything that carries this installation's name, or claims to, of whatever kind. The sequence either completes or throws.</summary>
    IAsyncEnumerable<OutstandingCredential> ListAsync(CancellationToken cancellationToken);
}

/// <summary>A provider that can look at one credential without touching it: before something is taken for gone because a listing lacks it.</summary>
public interface IProbingProvider
{
    /// <summary>Whether anything is left of a credential at the target. It changes nothing there.</summary>
    /// <param name="credential">It is named as for its revocation.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProviderException">The target could not be asked.</exception>
    Task<ProbeOutcome> ProbeAsync(RevokeRequest credential, CancellationToken cancellationToken);
}

/// <summary>
/// A provider whose target can keep a short note of the broker's: by it nodes that share no file recognise a database that was restored. Nothing else depends on it: no credential,
/// no listing, no evidence. Whoever may write it at the target can make the broker forget, and nothing more.
/// </summary>
public interface IAnchoringProvider
{
    /// <summary>Reads the note of this provider, uninterpreted.</summary>
    /// <exception cref="ProviderException">The target could not be asked.</exception>
    Task<AnchorLook> ReadAnchorAsync(CancellationToken cancellationToken);

    /// <summary>Puts another note into the place of one that was read, if that still stands there; makes the place where there is none. False when somebody else was faster.</summary>
    /// <param name="seen">What was read, as it was read; null for nothing.</param>
    /// <param name="next">At most 512 of the characters A-Z, a-z, 0-9, _, ., : and -.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProviderException">The target could not be asked, or does not let it be written.</exception>
    Task<bool> ReplaceAnchorAsync(string? seen, string next, CancellationToken cancellationToken);
}

/// <summary>What stands at the target.</summary>
/// <param name="TargetIdentity">What the target said it is, at this very look.</param>
/// <param name="Text">The note, cut after 1,000 characters; null for none. Anybody may have written it.</param>
public sealed record AnchorLook(string TargetIdentity, string? Text);

/// <summary>What a look at one credential showed.</summary>
/// <param name="TargetIdentity">What the target said it is, at this very look.</param>
/// <param name="Exists">Whether anything is left of it, under its name or another.</param>
public sealed record ProbeOutcome(string TargetIdentity, bool Exists);

/// <summary>What a check found.</summary>
/// <param name="TargetIdentity">What the target says it is: leases are pinned to it.</param>
/// <param name="Findings">What was looked at, and what is missing.</param>
public sealed record ProviderHealth(string TargetIdentity, IReadOnlyList<HealthFinding> Findings)
{
    /// <summary>Whether nothing that the provider needs is missing.</summary>
    public bool Healthy => Findings.All(finding => finding.Level != FindingLevel.Missing);
}

/// <summary>How grave a finding is.</summary>
public enum FindingLevel
{
    /// <summary>As it should be.</summary>
    Ok = 1,

    /// <summary>It works, but somebody should know.</summary>
    Warning = 2,

    /// <summary>It does not work until this is mended.</summary>
    Missing = 3,
}

/// <summary>One thing that a check looked at.</summary>
/// <param name="Level">How grave it is.</param>
/// <param name="Subject">What was looked at, such as a permission's name.</param>
/// <param name="Message">What was found.</param>
/// <param name="Fix">What to do, where possible as a command to copy; empty when nothing is to be done.</param>
public sealed record HealthFinding(FindingLevel Level, string Subject, string Message, string Fix = "");
