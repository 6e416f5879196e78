using CredBroker.Abstractions;

namespace CredBroker.Testing.Scripted;

/// <summary>What exists at the scripted target.</summary>
public sealed record ScriptedCredential
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The mark on it; null for what somebody else made.</summary>
    public string? Mark { get; init; }

    /// <summary>Its secret.</summary>
    public required Secret Password { get; init; }

    /// <summary>When it ends by itself.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What revoking it means.</summary>
    public RevocabilityKind Revocability { get; init; } = RevocabilityKind.DeletesAndCutsSessions;

    /// <summary>The document that can deny it; null where it stands alone.</summary>
    public string? Group { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset IssuedAt { get; init; }

    /// <summary>When its revocation was begun; null while it is live.</summary>
    public DateTimeOffset? DisabledAt { get; init; }
}

/// <summary>Something that was opened with a credential, and that lives until it is cut.</summary>
public sealed class ScriptedSession
{
    internal ScriptedSession(string name) => Name = name;

    /// <summary>The credential's name.</summary>
    public string Name { get; }

    /// <summary>Whether it was cut.</summary>
    public bool Cut { get; internal set; }
}
