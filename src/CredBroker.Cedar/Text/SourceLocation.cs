namespace CredBroker.Cedar;

/// <summary>A place in a source text.</summary>
/// <param name="File">The name the text was parsed under; empty if it has none.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column in UTF-16 code units, from 1.</param>
public readonly record struct SourceLocation(string File, int Line, int Column)
{
    /// <summary><c>file:line:column</c>, without the file if it has no name.</summary>
    public override string ToString() => string.IsNullOrEmpty(File) ? $"{Line}:{Column}" : $"{File}:{Line}:{Column}";
}
