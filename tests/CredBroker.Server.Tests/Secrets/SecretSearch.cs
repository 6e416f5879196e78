using System.Buffers;
using System.Text;
using System.Text.Json;

namespace CredBroker.Server.Tests.Secrets;

/// <summary>Finds secrets in whatever was left behind, in every form in which text and bytes are usually written down.</summary>
internal sealed class SecretSearch
{
    private readonly Dictionary<string, HashSet<string>> _forms = new(StringComparer.Ordinal);
    private SearchValues<string>? _any;

    /// <summary>How many secrets are searched for.</summary>
    public int Count => _forms.Count;

    /// <summary>Searches for this from now on.</summary>
    public void Add(string what, string secret)
    {
        Assert.That(secret, Has.Length.GreaterThanOrEqualTo(16), $"{what} is long enough not to be found by chance");
        _forms[what] = [.. FormsOf(secret)];
        _any = null;
    }

    /// <summary>A signed token, and its signature, without which the rest is worth nothing.</summary>
    public void AddToken(string what, string token)
    {
        Add(what, token);
        Add($"the signature of {what}", token.Split('.')[2]);
    }

    /// <summary>What is found, as "secret in place (form)"; never the secret itself.</summary>
    public IEnumerable<string> FindIn(string place, string text)
    {
        // Nearly every text has none: one look for all of them says so.
        _any ??= SearchValues.Create([.. _forms.Values.SelectMany(forms => forms)], StringComparison.Ordinal);
        return text.AsSpan().ContainsAny(_any) ? _forms.Where(secret => secret.Value.Any(form => text.Contains(form, StringComparison.Ordinal))).Select(secret => $"{secret.Key} in {place}") : [];
    }

    /// <summary>The same in a file: every byte is a character.</summary>
    public IEnumerable<string> FindIn(string place, byte[] bytes) => FindIn(place, Encoding.Latin1.GetString(bytes));

    private static IEnumerable<string> FormsOf(string secret)
    {
        var bytes = Encoding.UTF8.GetBytes(secret);
        yield return secret;
        yield return string.Join('\0', secret.ToCharArray());
        yield return Uri.EscapeDataString(secret);
        yield return JsonSerializer.Serialize(secret)[1..^1];
        yield return Convert.ToHexString(bytes);
        yield return Convert.ToHexStringLower(bytes);
        for (var before = 0; before < 3; before++)
        {
            // Inside of something longer, its base64 depends on where it begins; only the characters that are its alone are looked for.
            var encoded = Convert.ToBase64String([.. new byte[before], .. bytes]).TrimEnd('=');
            var inner = encoded[(before == 0 ? 0 : before + 1)..^1];
            yield return inner;
            yield return inner.Replace('+', '-').Replace('/', '_');
        }
    }
}
