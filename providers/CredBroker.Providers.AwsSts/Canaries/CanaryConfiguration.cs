using System.Text.RegularExpressions;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts;

/// <summary>
/// A request that shows whether a role's deny document is in force: a session of the broker's own, denied in the same version of the document, is let in before and refused
/// afterwards. It speaks for the one service and region that it asks.
/// </summary>
public sealed partial record CanaryConfiguration
{
    /// <summary>
    /// What is fetched by a signed GET, such as <c>https://reports.s3.eu-central-1.amazonaws.com/canary.txt</c>: whoever is not denied must be let in. The path has letters, digits,
    /// <c>/</c>, <c>.</c>, <c>_</c>, <c>~</c> and <c>-</c>.
    /// </summary>
    public required string Url { get; init; }

    /// <summary>The action that this takes, such as <c>s3:GetObject</c>, which the role must allow: the canary's session may do nothing else. What stands before the colon is the service that is signed for.</summary>
    public required string Action { get; init; }

    /// <summary>The resource's ARN, such as <c>arn:aws:s3:::reports/canary.txt</c>.</summary>
    public required string Resource { get; init; }

    /// <summary>The region that is signed for; that of the provider if it is left out.</summary>
    public string? Region { get; init; }

    /// <summary>
    /// How long after the write the canary's word is enough, without the rest of <c>settle</c>: 5 s to 15 min. Set it only where all that the role opens is where the canary looks. Left out, a
    /// lease is dead when <c>settle</c> is over and the canary is refused too.
    /// </summary>
    public TimeSpan? SufficesAfter { get; init; }

    internal string Service => Action[..Action.IndexOf(':', StringComparison.Ordinal)];

    internal IEnumerable<ValidationError> Validate(string path)
    {
        if (Url.Length > 500 || !UrlPattern().IsMatch(Url) || !Uri.TryCreate(Url, UriKind.Absolute, out var address) || address.AbsoluteUri != Url || !ServiceAddress.IsSafe(address))
            yield return new($"{path}.url", "This is https (http to a loopback address alone), a host and a plain path, such as https://reports.s3.eu-central-1.amazonaws.com/canary.txt.");
        if (!ActionPattern().IsMatch(Action)) yield return new($"{path}.action", "This is one action such as s3:GetObject.");
        if (!ResourcePattern().IsMatch(Resource)) yield return new($"{path}.resource", "This is the ARN of one resource.");
        if (Region is not null && !AwsStsConfiguration.IsRegion(Region)) yield return new($"{path}.region", "This is a region, such as eu-central-1.");
        if (SufficesAfter is { } after && (after < TimeSpan.FromSeconds(5) || after > TimeSpan.FromMinutes(15))) yield return new($"{path}.sufficesAfter", "This must be between 5s and 15m.");
    }

    // What would be encoded differently by different services is not allowed.
    [GeneratedRegex(@"\Ahttps?://[a-z0-9.:\[\]-]{1,255}(?:/[A-Za-z0-9._~-]+)+\z")]
    private static partial Regex UrlPattern();

    [GeneratedRegex(@"\A[a-z0-9-]{1,64}:[A-Za-z0-9]{1,128}\z")]
    private static partial Regex ActionPattern();

    [GeneratedRegex(@"\Aarn:[a-z-]{1,20}:[a-z0-9-]{1,64}:[!#-)+-\>@-\[\]-~]{1,900}\z")]
    private static partial Regex ResourcePattern();
}
