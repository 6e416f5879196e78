using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace CredBroker.Cedar;

/// <summary>A <c>decimal</c>: four digits after the point, kept as 64 bits.</summary>
/// <param name="tenThousandths">The number, times 10,000.</param>
public sealed class CedarDecimal(long tenThousandths) : CedarValue
{
    /// <summary>The number, times 10,000.</summary>
    public long TenThousandths { get; } = tenThousandths;

    /// <inheritdoc/>
    public override string TypeName => "decimal";

    /// <summary>Reads digits, a point and one to four digits, with an optional minus sign.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out CedarDecimal? value)
    {
        value = null;
        var digits = text.AsSpan(text.StartsWith('-') ? 1 : 0);
        var point = digits.IndexOf('.');
        var fraction = point > 0 ? digits[(point + 1)..] : default;
        if (fraction.Length is 0 or > 4 || digits[..point].ContainsAnyExceptInRange('0', '9') || fraction.ContainsAnyExceptInRange('0', '9'))
            return false;
        if (!long.TryParse(digits[..point], NumberStyles.None, CultureInfo.InvariantCulture, out var whole))
            return false;
        var scaled = (Int128)whole * 10_000 + int.Parse(fraction.ToString().PadRight(4, '0'), CultureInfo.InvariantCulture);
        if (text.StartsWith('-'))
            scaled = -scaled;
        if (scaled < long.MinValue || scaled > long.MaxValue)
            return false;
        value = new CedarDecimal((long)scaled);
        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(CedarValue? other) => other is CedarDecimal d && d.TenThousandths == TenThousandths;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(5, TenThousandths);

    /// <inheritdoc/>
    public override string ToString() => $"decimal(\"{ToLiteral()}\")";

    internal string ToLiteral()
    {
        var magnitude = Int128.Abs(TenThousandths);
        return string.Create(CultureInfo.InvariantCulture,
            $"{(TenThousandths < 0 ? "-" : "")}{(long)(magnitude / 10_000)}.{(int)(magnitude % 10_000):D4}");
    }
}
