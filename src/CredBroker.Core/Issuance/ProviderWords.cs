using System.Globalization;
using System.Text;
using CredBroker.Abstractions;
using CredBroker.Core.Leases;

namespace CredBroker.Core.Issuance;

/// <summary>What a target said, made safe to store and to show: cut, and without characters that a terminal or a log would act on.</summary>
internal static class ProviderWords
{
    private const int Longest = 500;

    public static string Clean(string words)
    {
        var text = new StringBuilder(Math.Min(words.Length, Longest));
        foreach (var rune in words.EnumerateRunes())
        {
            if (text.Length >= Longest) return text.Append('…').ToString();
            var category = Rune.GetUnicodeCategory(rune);
            var plain = category is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
            text.Append(plain ? rune.ToString() : rune.Value is '\n' or '\t' or '\r' ? " " : "\uFFFD");
        }

        return text.ToString();
    }

    public static AttemptError ToError(ProviderException exception, DateTimeOffset now) => new(exception.Fault, Clean(exception.Message), now);

    /// <summary>A fault of the provider's code: its own message may hold anything, so only its type is kept.</summary>
    public static ProviderException Unexpected(Exception exception) =>
        exception as ProviderException ?? new ProviderException(ProviderFault.Credential, $"The provider failed with an unexpected {exception.GetType().Name}.");
}
