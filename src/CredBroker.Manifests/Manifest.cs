using Google.Protobuf;

namespace CredBroker.Manifests;

/// <summary>A resource as a manifest wants it.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Resource">The contract's message, without what only the broker sets.</param>
/// <param name="Source">Where it was written.</param>
public sealed record Manifest(ResourceKind Kind, IMessage Resource, SourceMark Source)
{
    /// <summary>The file beside the manifest that its text came from (<c>textFile</c>), as it was written; empty where there is none.</summary>
    public string TextFile { get; init; } = "";

    /// <summary>Its full name, such as <c>providers/books/roles/reader</c>.</summary>
    public string Name => ResourceKind.NameOf(Resource);
}

/// <summary>A place in a manifest.</summary>
/// <param name="File">The file, as it was named.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
public readonly record struct SourceMark(string File, int Line, int Column)
{
    /// <inheritdoc/>
    public override string ToString() => Line == 0 ? File : $"{File}:{Line}:{Column}";
}

/// <summary>Something wrong in a manifest.</summary>
/// <param name="Source">Where.</param>
/// <param name="Path">The key's path in its document, such as <c>spec.oidc.issuer</c>; empty for the document itself.</param>
/// <param name="Message">What.</param>
public sealed record ManifestError(SourceMark Source, string Path, string Message)
{
    /// <summary>One line, with whatever others wrote escaped.</summary>
    public override string ToString() => SafeText.Line($"{Source}: {(Path.Length == 0 ? "" : Path + ": ")}{Message}");
}

/// <summary>Everything wrong in some manifests.</summary>
public sealed class ManifestException(IReadOnlyList<ManifestError> errors) : Exception(string.Join('\n', errors))
{
    /// <summary>All of it.</summary>
    public IReadOnlyList<ManifestError> Errors { get; } = errors;
}

/// <summary>Manifests that were read, and everything wrong with them.</summary>
/// <param name="Manifests">In the order in which they can be applied. Incomplete when there are errors.</param>
/// <param name="Errors">All errors of all files.</param>
/// <param name="Hash">SHA-256 of names and contents of all files, 64 hexadecimal digits.</param>
public sealed record ManifestSet(IReadOnlyList<Manifest> Manifests, IReadOnlyList<ManifestError> Errors, string Hash)
{
    /// <summary>The same, if nothing is wrong.</summary>
    /// <exception cref="ManifestException">Something is.</exception>
    public ManifestSet OrThrow() => Errors.Count == 0 ? this : throw new ManifestException(Errors);
}
