using System.Globalization;
using System.Text.RegularExpressions;
using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault.Client;

/// <summary>
/// What an answer means. The wording differs between products and versions, so that it is searched, never compared; what is not recognised may have had an
/// effect.
/// </summary>
internal static partial class Faults
{
    private const int MostWords = 400;

    /// <summary>The reply, if it is a success.</summary>
    /// <exception cref="ProviderException">It is not.</exception>
    public static VaultReply Require(this VaultReply reply) => reply.Succeeded ? reply : throw From(reply);

    /// <summary>What a reply that is no success means.</summary>
    public static ProviderException From(VaultReply reply)
    {
        var (fault, effect) = Classify(reply);
        return new ProviderException(fault, Words(reply), effect, reply.RetryAfter);
    }

    /// <summary>An answer that no Vault gives: a proxy's page, or something that is no Vault at all.</summary>
    public static ProviderException Unintelligible(VaultCall call) =>
        new(ProviderFault.Misconfigured, $"What answered {call.Method} {call.Path} is not as Vault answers: is the address right, and no proxy in between?");

    /// <summary>No answer came.</summary>
    public static ProviderException Unreachable(VaultCall call, HttpRequestException failure)
    {
        // Before a connection stands nothing was sent.
        var effect = failure.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError
            ? ProviderEffect.None
            : ProviderEffect.Unknown;
        return new ProviderException(ProviderFault.Unreachable, $"{call.Method} {call.Path} was not answered ({failure.HttpRequestError}).", effect);
    }

    /// <summary>No answer came in time.</summary>
    public static ProviderException TimedOut(VaultCall call, TimeSpan timeout) =>
        new(ProviderFault.Unreachable, string.Create(CultureInfo.InvariantCulture, $"{call.Method} {call.Path} was not answered within {timeout.TotalSeconds:0} s."));

    /// <summary>A text of the target's for people: one line, cut, and without anything that looks like a token.</summary>
    public static string Clean(string text)
    {
        var line = new string([.. text.Select(character => IsInvisible(character) ? ' ' : character)]);
        line = TokenPattern().Replace(SpacePattern().Replace(line, " "), "***").Trim();
        return line.Length > MostWords ? $"{line[..MostWords]}…" : line;
    }

    private static bool IsInvisible(char character) => char.IsControl(character) || char.GetUnicodeCategory(character) is UnicodeCategory.Format or UnicodeCategory.Surrogate;

    private static (ProviderFault Fault, ProviderEffect Effect) Classify(VaultReply reply) => reply.Status switch
    {
        >= 300 and < 400 => (ProviderFault.Misconfigured, ProviderEffect.None),
        400 when reply.Says("failed to revoke") || reply.Says("failed to renew") => (ProviderFault.Credential, ProviderEffect.Unknown), // The engine's backend is away.
        400 when reply.Call.Path.EndsWith("/login", StringComparison.Ordinal) => (ProviderFault.Denied, ProviderEffect.None),
        401 or 403 => (ProviderFault.Denied, ProviderEffect.None),
        429 => (ProviderFault.Throttled, ProviderEffect.None),
        412 => (ProviderFault.Unreachable, ProviderEffect.None), // A standby that has not caught up yet.
        >= 400 and < 500 => (ProviderFault.Misconfigured, ProviderEffect.None),
        503 when reply.Says("sealed") => (ProviderFault.Unreachable, ProviderEffect.None),
        500 when reply.Says("missing role_id") => (ProviderFault.Denied, ProviderEffect.None),
        500 when reply.Says("not an allowed role") => (ProviderFault.Misconfigured, ProviderEffect.None),
        500 when reply.Says("different namespace") => (ProviderFault.TargetMismatch, ProviderEffect.None),
        500 when reply.Says("could not be found, not renewing") => (ProviderFault.Misconfigured, ProviderEffect.None),
        _ when reply.Call.ReachesEngine => (ProviderFault.Credential, ProviderEffect.Unknown),
        _ => (ProviderFault.Unreachable, ProviderEffect.Unknown),
    };

    private static string Words(VaultReply reply)
    {
        var said = Clean(reply.Errors);
        var redirected = reply.Status is >= 300 and < 400 ? " It redirects, which is not followed: name the active node, or let standbys forward." : "";
        return string.Create(CultureInfo.InvariantCulture, $"{reply.Call.Method} {reply.Call.Path}: {reply.Status}{(said.Length > 0 ? $" {said}" : "")}.{redirected}");
    }

    [GeneratedRegex(@"\b(?:hv[bsr]|[sbr])\.[A-Za-z0-9_.-]{8,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]+")]
    private static partial Regex TokenPattern();

    [GeneratedRegex(@"\s+")]
    private static partial Regex SpacePattern();
}
