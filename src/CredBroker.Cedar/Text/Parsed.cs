using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace CredBroker.Cedar;

/// <summary>What came of parsing a text: a value, or at least one error.</summary>
/// <typeparam name="T">What the text stands for.</typeparam>
public sealed class Parsed<T> where T : class
{
    internal Parsed(T value) => (Value, Errors) = (value, []);

    internal Parsed(ImmutableArray<Diagnostic> errors) => Errors = errors;

    /// <summary>The value; null when there are errors.</summary>
    public T? Value { get; }

    /// <summary>The errors in the order of the text; empty when there is a value.</summary>
    public ImmutableArray<Diagnostic> Errors { get; }

    /// <summary>Whether the text was right.</summary>
    [MemberNotNullWhen(true, nameof(Value))]
    public bool IsValid => Value is not null;

    /// <summary>The value, for texts that are known to be right.</summary>
    /// <exception cref="CedarSyntaxException">The text has errors.</exception>
    public T OrThrow() => Value ?? throw new CedarSyntaxException(Errors);
}

/// <summary>A text that had to be right has errors.</summary>
/// <param name="errors">All of them.</param>
public sealed class CedarSyntaxException(ImmutableArray<Diagnostic> errors) : FormatException(string.Join('\n', errors))
{
    /// <summary>All the errors that were found.</summary>
    public ImmutableArray<Diagnostic> Errors { get; } = errors;
}
