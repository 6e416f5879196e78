using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using CredBroker.Abstractions;

namespace CredBroker.Core.Signing;

/// <summary>What makes this installation this one. It is the operator's, outside the database: a copied database is not the installation.</summary>
public sealed record InstallationOptions
{
    /// <summary>The size of a wrapping key, in bytes.</summary>
    public const int WrappingKeySize = 32;

    /// <summary>6 characters of <c>[a-z0-9]</c>: part of every external name and mark.</summary>
    public required string Id { get; init; }

    /// <summary>Where the broker is reached from outside, without a trailing slash; the issuers are below it. Never the Host header.</summary>
    public required string PublicUrl { get; init; }

    /// <summary>32 random bytes: what everything at rest is wrapped with, and what the marks' key is derived from.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public required byte[] WrappingKey { get; init; }

    /// <summary>Earlier wrapping keys, under which marks made before a change still verify.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public IReadOnlyList<byte[]> PreviousWrappingKeys { get; init; } = [];

    /// <summary>The audience that identity sources accept unless they name others.</summary>
    public string DefaultAudience => $"credbroker:{Id}";

    /// <summary>The <c>iss</c> of a family's tokens.</summary>
    public string IssuerOf(KeyFamily family) => $"{PublicUrl}/{KeyFamilies.PathOf(family)}";

    /// <summary>Every error, with the name of the setting.</summary>
    public IEnumerable<ValidationError> Validate()
    {
        if (Id is not { Length: 6 } || !Id.All(character => char.IsAsciiDigit(character) || char.IsAsciiLetterLower(character)))
            yield return new ValidationError("id", "The installation's id is 6 characters of a-z and 0-9.");
        if (!IsPlainUrl(PublicUrl, out var url))
            yield return new ValidationError("publicUrl", "The public URL is an absolute https URL without user, query, fragment or trailing slash.");
        else if (url.Scheme == "http" && !url.IsLoopback)
            yield return new ValidationError("publicUrl", "The public URL must be https, except on loopback.");
        if (WrappingKey is not { Length: WrappingKeySize } || PreviousWrappingKeys.Any(key => key is not { Length: WrappingKeySize }))
            yield return new ValidationError("wrappingKey", "A wrapping key is 32 random bytes.");
        else if (WrappingKey.All(value => value == WrappingKey[0]))
            yield return new ValidationError("wrappingKey", "This wrapping key is not random.");
    }

    private static bool IsPlainUrl(string? text, [NotNullWhen(true)] out Uri? url)
    {
        url = null;
        return text is not null && text.All(character => character is > ' ' and <= '~' and not ('?' or '#' or '@')) && !text.EndsWith('/')
            && Uri.TryCreate(text, UriKind.Absolute, out url) && url.Scheme is ("https" or "http");
    }

    /// <summary>Names the installation, never its keys.</summary>
    public override string ToString() => $"{Id} at {PublicUrl}";
}
