using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CredBroker.Core.Identity;

/// <summary>Makes an identity of a verified token's claims, and refuses what the source may not vouch for.</summary>
internal static class ClaimReader
{
    private const int LongestSubject = 2048;
    private const int LongestValue = 2048;
    private const int LongestTeam = 256;
    private const int MostTeams = 256;

    // Present in ID tokens of a person's log-in (OpenID Connect Core 1.0, sections 2 and 3.3.2.11).
    private static readonly string[] PersonClaims = ["nonce", "at_hash", "c_hash", "auth_time"];

    public static Attestation Read(StrictJwt token, CompiledSource source, TokenLifetime lifetime)
    {
        try
        {
            RefusePeople(token, source);
            RefuseEvents(token, source);
            RefuseOthers(token, source);
            return new Attestation.Attested(new AttestedIdentity
            {
                SourceUid = source.Source.Uid,
                SourceName = source.Source.Name,
                OperatorOwned = source.Source.OperatorOwned,
                People = source.People,
                Environment = source.Source.Spec.Environment,
                Subject = SubjectOf(token, source),
                StableIds = StableIdsOf(token, source),
                Instance = InstanceOf(token, source),
                Attributes = AttributesOf(token, source),
                Teams = TeamsOf(token, source),
                IssuedAt = lifetime.IssuedAt,
                ExpiresAt = lifetime.ExpiresAt,
                TokenHash = token.SignedHash,
            });
        }
        catch (ClaimRefusedException e)
        {
            return new Attestation.Refused(e.Reason, e.Message);
        }
    }

    private static void RefusePeople(StrictJwt token, CompiledSource source)
    {
        if (source.People) return;
        if (PersonClaims.Concat(source.Preset.PersonClaims).FirstOrDefault(token.Has) is { } claim)
            throw new ClaimRefusedException(RefusalReasons.PersonRefused, $"The claim {claim} shows a person's log-in, and this source vouches for workloads.");
    }

    private static void RefuseEvents(StrictJwt token, CompiledSource source)
    {
        if (source.Preset.EventClaim is not { } claim) return;
        if (token.String(claim) is not { Length: > 0 } cause) throw new ClaimRefusedException(RefusalReasons.ClaimRefused, $"The claim {claim} is missing.");
        if (source.Preset.RefusedEvents.Contains(cause, StringComparer.Ordinal))
            throw new ClaimRefusedException(RefusalReasons.EventRefused, $"A run caused by {cause} is refused: a stranger can cause it.");
    }

    private static void RefuseOthers(StrictJwt token, CompiledSource source)
    {
        foreach (var (path, value) in source.Required)
        {
            if (Scalar(path, token) != value) throw new ClaimRefusedException(RefusalReasons.ClaimRefused, $"The claim {path} does not have the value that this source requires.");
        }
    }

    private static string SubjectOf(StrictJwt token, CompiledSource source)
    {
        if (token.String("sub") is not { Length: > 0 and <= LongestSubject } subject || !IsPlain(subject))
            throw new ClaimRefusedException(RefusalReasons.SubjectRefused, $"sub must be 1 to {LongestSubject} characters without control or formatting characters.");
        if (!subject.StartsWith(source.SubjectPrefix, StringComparison.Ordinal))
            throw new ClaimRefusedException(RefusalReasons.SubjectRefused, "This source may not vouch for this subject.");
        return subject;
    }

    private static ImmutableSortedDictionary<string, string> StableIdsOf(StrictJwt token, CompiledSource source) =>
        source.StableIds.ToImmutableSortedDictionary(
            path => path.Text,
            path => Scalar(path, token) is { Length: > 0 } value && IsPlain(value)
                ? value
                : throw new ClaimRefusedException(RefusalReasons.ClaimRefused, $"The claim {path} is missing: it identifies the workload for good."),
            StringComparer.Ordinal);

    /// <summary>The values are escaped, so that joining them cannot make one instance look like another.</summary>
    private static string? InstanceOf(StrictJwt token, CompiledSource source)
    {
        if (source.Instance.Count == 0) return null;
        var values = source.Instance.Select(path => Scalar(path, token)).ToArray();
        return values.All(value => value is { Length: > 0 }) ? string.Join('/', values.Select(value => Uri.EscapeDataString(value!))) : null;
    }

    private static ImmutableSortedDictionary<string, string> AttributesOf(StrictJwt token, CompiledSource source) =>
        source.Attributes
            .Select(entry => (entry.Key, Value: Scalar(entry.Path, token)))
            .Where(entry => entry.Value is not null)
            .ToImmutableSortedDictionary(entry => entry.Key, entry => entry.Value!, StringComparer.Ordinal);

    private static ImmutableSortedSet<string> TeamsOf(StrictJwt token, CompiledSource source)
    {
        if (source.Teams?.Find(token.Claims) is not { } claim) return [];
        var names = claim.ValueKind switch
        {
            JsonValueKind.String => [claim.GetString()!],
            JsonValueKind.Array when claim.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String) => claim.EnumerateArray().Select(name => name.GetString()!).ToArray(),
            _ => throw new ClaimRefusedException(RefusalReasons.ClaimRefused, $"The claim {source.Teams} must be a string or a list of strings."),
        };
        if (names.Length > MostTeams || names.Any(name => name.Length is 0 or > LongestTeam || !IsPlain(name)))
            throw new ClaimRefusedException(RefusalReasons.ClaimRefused, $"The claim {source.Teams} must hold at most {MostTeams} names of at most {LongestTeam} plain characters.");
        return names.Select(name => $"{source.Source.Name}/{name}").ToImmutableSortedSet(StringComparer.Ordinal);
    }

    /// <summary>
    /// A claim as text. Only what has one spelling is taken: strings, truth values and whole numbers. A claim of another form is refused, not
    /// left out: a rule that forbids by it would not see it.
    /// </summary>
    private static string? Scalar(ClaimPath path, StrictJwt token)
    {
        if (path.Find(token.Claims) is not { } value) return null;
        var text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            JsonValueKind.Number when value.GetRawText().All(character => char.IsAsciiDigit(character) || character == '-') => value.GetRawText(),
            _ => null,
        };
        return text is { Length: <= LongestValue }
            ? text
            : throw new ClaimRefusedException(RefusalReasons.ClaimRefused, $"The claim {path} must be a string of at most {LongestValue} characters, a whole number or a truth value.");
    }

    /// <summary>No control, formatting (bidi) or line-breaking characters: such a name looks like another, or breaks what prints it.</summary>
    private static bool IsPlain(string text) => text.EnumerateRunes().All(rune => Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned));

    private sealed class ClaimRefusedException(string reason, string message) : Exception(message)
    {
        public string Reason { get; } = reason;
    }
}
