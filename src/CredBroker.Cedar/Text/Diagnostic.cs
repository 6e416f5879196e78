namespace CredBroker.Cedar;

/// <summary>Something wrong in a text: where, and what.</summary>
/// <param name="Location">The place.</param>
/// <param name="Message">What is wrong, for a person; may quote the text, with control characters escaped.</param>
public sealed record Diagnostic(SourceLocation Location, string Message)
{
    /// <summary><c>file:line:column: message</c>.</summary>
    public override string ToString() => $"{Location}: {Message}";
}
