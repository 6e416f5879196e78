using System.Globalization;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>A value of the policy language. Values are immutable and compared by content; <see cref="object.ToString"/> writes a Cedar expression.</summary>
public abstract class CedarValue : IEquatable<CedarValue>
{
    private protected CedarValue() { }

    /// <summary>The name of the value's type for messages, such as <c>Long</c> or <c>entity User</c>.</summary>
    public abstract string TypeName { get; }

    /// <summary>How many steps it takes to look at all of it.</summary>
    internal virtual long Weight => 1;

    /// <inheritdoc/>
    public abstract bool Equals(CedarValue? other);

    /// <inheritdoc/>
    public sealed override bool Equals(object? obj) => Equals(obj as CedarValue);

    /// <inheritdoc/>
    public abstract override int GetHashCode();

    /// <summary>The Bool <paramref name="value"/>.</summary>
    public static implicit operator CedarValue(bool value) => CedarBool.Of(value);

    /// <summary>The Long <paramref name="value"/>.</summary>
    public static implicit operator CedarValue(long value) => CedarLong.Of(value);

    /// <summary>The String <paramref name="value"/>.</summary>
    public static implicit operator CedarValue(string value) => new CedarString(value);
}

/// <summary>A Bool.</summary>
public sealed class CedarBool : CedarValue
{
    /// <summary>True.</summary>
    public static readonly CedarBool True = new(true);

    /// <summary>False.</summary>
    public static readonly CedarBool False = new(false);

    private CedarBool(bool value) => Value = value;

    /// <summary>The truth value.</summary>
    public bool Value { get; }

    /// <inheritdoc/>
    public override string TypeName => "Bool";

    /// <summary><see cref="True"/> or <see cref="False"/>.</summary>
    public static CedarBool Of(bool value) => value ? True : False;

    /// <inheritdoc/>
    public override bool Equals(CedarValue? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => Value ? 1 : 2;

    /// <inheritdoc/>
    public override string ToString() => Value ? "true" : "false";
}

/// <summary>A Long: 64 bits with a sign; arithmetic that overflows is an error.</summary>
/// <param name="value">The number.</param>
public sealed class CedarLong(long value) : CedarValue
{
    private static readonly CedarLong[] Small = [.. Enumerable.Range(0, 256).Select(n => new CedarLong(n))];

    /// <summary>The number.</summary>
    public long Value { get; } = value;

    internal static CedarLong Of(long value) => value is >= 0 and < 256 ? Small[value] : new CedarLong(value);

    /// <inheritdoc/>
    public override string TypeName => "Long";

    /// <inheritdoc/>
    public override bool Equals(CedarValue? other) => other is CedarLong l && l.Value == Value;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(3, Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A String.</summary>
/// <param name="value">The text.</param>
public sealed class CedarString(string value) : CedarValue
{
    /// <summary>The text.</summary>
    public string Value { get; } = value;

    /// <inheritdoc/>
    public override string TypeName => "String";

    internal override long Weight => 1 + Value.Length / 64;

    /// <inheritdoc/>
    public override bool Equals(CedarValue? other) => other is CedarString s && string.Equals(s.Value, Value, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Quoting.Quote(Value);
}
