using System.Collections.Immutable;
using CredBroker.Abstractions;

namespace CredBroker.Core.Identity;

/// <summary>What came of looking at a bearer token.</summary>
public abstract record Attestation
{
    private Attestation()
    {
    }

    /// <summary>The token proves who the caller is.</summary>
    public sealed record Attested(AttestedIdentity Identity) : Attestation;

    /// <summary>The token proves nothing. Why is for the operator alone: whoever tries tokens out must not learn what was wrong with them.</summary>
    /// <param name="Reason">A stable name of the reason, one of <see cref="RefusalReasons"/>.</param>
    /// <param name="Message">What is wrong: no part of the token.</param>
    public sealed record Refused(string Reason, string Message) : Attestation
    {
        /// <summary>The name of the identity source that it was judged by, or of those that have its issuer; empty where none has.</summary>
        public string Source { get; init; } = "";
    }
}

/// <summary>Who a caller is, by the word of an identity source and nobody else's.</summary>
public sealed record AttestedIdentity
{
    /// <summary>The source's immutable id.</summary>
    public required Uid SourceUid { get; init; }

    /// <summary>The source's name when the token was verified.</summary>
    public required string SourceName { get; init; }

    /// <summary>The source is the operator's: only such callers may administer, approve and suspend.</summary>
    public required bool OperatorOwned { get; init; }

    /// <summary>The caller is a person: one cannot perform a task.</summary>
    public required bool People { get; init; }

    /// <summary>The source's environment; empty for none.</summary>
    public required string Environment { get; init; }

    /// <summary>The token's <c>sub</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>Claim path → value of what the issuer never gives to another, in ordinal order.</summary>
    public required ImmutableSortedDictionary<string, string> StableIds { get; init; }

    /// <summary>The running instance, where the issuer attests one: the values of the instance claims.</summary>
    public string? Instance { get; init; }

    /// <summary><c>source/attribute</c> → value: the source's name is part of the key, so that no source can speak in another's words.</summary>
    public required ImmutableSortedDictionary<string, string> Attributes { get; init; }

    /// <summary>The teams, as <c>source/team</c>.</summary>
    public required ImmutableSortedSet<string> Teams { get; init; }

    /// <summary>The token's <c>iat</c>, or when it was first seen if it has none.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>The token's <c>exp</c>.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>
    /// SHA-256 of the token's first two parts, in lower-case hex: it tells which token was used, without the token. The signature is left
    /// out because an ECDSA signature has a second valid form, which anyone can compute.
    /// </summary>
    public required string TokenHash { get; init; }

    /// <summary><c>source/subject</c>. Names hold no slash, so it cannot be forged by joining.</summary>
    public string Workload => $"{SourceName}/{Subject}";
}
