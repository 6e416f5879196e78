using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace CredBroker.Abstractions;

/// <summary>
/// An immutable identity of a row: a version 7 UUID (RFC 9562, section 5.7), so that ids sort by the time they were made.
/// Printed as 26 lower-case Crockford base32 characters, which are safe in names at every target.
/// </summary>
public readonly record struct Uid : IComparable<Uid>
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    /// <summary>The number of characters of the printed form.</summary>
    public const int Length = 26;

    /// <summary>Wraps an existing UUID.</summary>
    public Uid(Guid value) => Value = value;

    /// <summary>The UUID.</summary>
    public Guid Value { get; }

    /// <summary>Makes a new id from the injected clock.</summary>
    public static Uid New(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
#pragma warning disable RS0030 // The one place that makes ids, from the injected clock.
        return new Uid(Guid.CreateVersion7(time.GetUtcNow()));
#pragma warning restore RS0030
    }

    /// <summary>Reads the 16 bytes, most significant first.</summary>
    public static Uid FromBytes(ReadOnlySpan<byte> bigEndian) => new(new Guid(bigEndian, bigEndian: true));

    /// <summary>The 16 bytes, most significant first: they order as the printed form does.</summary>
    public byte[] ToBytes() => Value.ToByteArray(bigEndian: true);

    /// <summary>Reads the printed form. Only the canonical lower-case form is accepted, so that an id has one spelling.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Uid uid)
    {
        uid = default;
        if (text is not { Length: Length } || text[0] > '7') return false;
        UInt128 value = 0;
        foreach (var character in text)
        {
            var digit = Alphabet.IndexOf(character, StringComparison.Ordinal);
            if (digit < 0) return false;
            value = (value << 5) | (uint)digit;
        }

        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        uid = FromBytes(bytes);
        return true;
    }

    /// <summary>Reads the printed form.</summary>
    /// <exception cref="FormatException">The text is no id.</exception>
    public static Uid Parse(string text) => TryParse(text, out var uid) ? uid : throw new FormatException("This is not an id of 26 Crockford base32 characters.");

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        Value.TryWriteBytes(bytes, bigEndian: true, out _);
        var value = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return string.Create(Length, value, static (text, rest) =>
        {
            for (var i = text.Length - 1; i >= 0; i--)
            {
                text[i] = Alphabet[(int)(rest & 31)];
                rest >>= 5;
            }
        });
    }

    /// <inheritdoc/>
    public int CompareTo(Uid other) => Value.CompareTo(other.Value);

    /// <summary>Whether one sorts before another.</summary>
    public static bool operator <(Uid left, Uid right) => left.CompareTo(right) < 0;

    /// <summary>Whether one sorts after another.</summary>
    public static bool operator >(Uid left, Uid right) => left.CompareTo(right) > 0;

    /// <summary>Whether one does not sort after another.</summary>
    public static bool operator <=(Uid left, Uid right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one does not sort before another.</summary>
    public static bool operator >=(Uid left, Uid right) => left.CompareTo(right) >= 0;
}
