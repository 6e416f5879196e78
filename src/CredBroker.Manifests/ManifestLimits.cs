namespace CredBroker.Manifests;

/// <summary>How large manifests may be: more is an error, found before anything is built from it.</summary>
public sealed record ManifestLimits
{
    /// <summary>The usual limits.</summary>
    public static ManifestLimits Default { get; } = new();

    /// <summary>Most bytes of one file. 4 MiB: a policy set's text may have 2 MiB.</summary>
    public int MaxFileBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Most bytes of all files together.</summary>
    public int MaxTotalBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>Most files of a folder.</summary>
    public int MaxFiles { get; init; } = 2000;

    /// <summary>Deepest folder below the one that is loaded.</summary>
    public int MaxFolderDepth { get; init; } = 8;

    /// <summary>Most documents of one file.</summary>
    public int MaxDocuments { get; init; } = 1000;

    /// <summary>Deepest nesting of a document.</summary>
    public int MaxDepth { get; init; } = 24;

    /// <summary>Most nodes of one file.</summary>
    public int MaxNodes { get; init; } = 100_000;

    /// <summary>Most errors that are collected from one file.</summary>
    public int MaxErrors { get; init; } = 200;
}
