using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using CredBroker.Abstractions;

namespace CredBroker.Core.Tests.Documentation.Smallest;

/// <summary>Where the doors are.</summary>
public sealed record DoorConfiguration
{
    /// <summary>The base address of the door service.</summary>
    public required string Url { get; init; }
}

/// <summary>What a role opens.</summary>
public sealed record DoorTemplate
{
    /// <summary>The door's name.</summary>
    public required string Door { get; init; }
}

/// <summary>The type: once per process.</summary>
public sealed class DoorProviderType : ProviderType<DoorConfiguration>
{
    public override string Name => "doors";

    public override string Description => "Codes for doors.";

    // A request that the service has accepted it handles within ten seconds, or drops.
    public override TimeSpan LateEffect => TimeSpan.FromSeconds(10);

    public override IReadOnlyList<RoleKind> RoleKinds { get; } = [new DoorCode()];

    protected override IEnumerable<ValidationError> Validate(DoorConfiguration configuration)
    {
        if (configuration.Url.Length > 200 || configuration.Url.Any(char.IsControl) || !Uri.TryCreate(configuration.Url, UriKind.Absolute, out var url) || url.Scheme != "https")
            yield return new ValidationError("url", "This must be an https URL.");
        else if (url.AbsoluteUri.TrimEnd('/') != configuration.Url.TrimEnd('/')) yield return new ValidationError("url", "This must be a URL in its normal form.");
    }

    protected override IProvider Create(ProviderContext context, DoorConfiguration configuration) => new DoorProvider(context, configuration);
}

/// <summary>The one thing that can be asked for: a code that opens a door.</summary>
public sealed partial class DoorCode : RoleKind<DoorTemplate>
{
    public override string Name => "code";

    public override string Description => "A code that opens one door.";

    public override IReadOnlyList<string> CredentialFields => ["code"];

    protected override IEnumerable<ValidationError> Validate(DoorTemplate template)
    {
        if (!DoorName().IsMatch(template.Door)) yield return new ValidationError("door", "A door's name has 1 to 40 of a-z, 0-9 and hyphens.");
    }

    protected override Revocability RevocabilityOf(DoorTemplate template) =>
        new(RevocabilityKind.Deletes, TimeSpan.Zero, "Who is inside stays inside.");

    protected override string DestinationOf(DoorTemplate template) => template.Door;

    // A registered template may hold placeholders; what is issued from does not, and is looked at once more by the service.
    [GeneratedRegex(@"\A(?:[a-z0-9-]{1,40}|\{\{[a-z][a-zA-Z0-9_]{0,62}\}\})\z")]
    private static partial Regex DoorName();
}

/// <summary>One service under one configuration.</summary>
internal sealed partial class DoorProvider(ProviderContext context, DoorConfiguration configuration) : IProvider
{
    // The broker's way out follows no redirect and repeats nothing.
    private readonly HttpClient _http = new(context.Egress.CreateHttpHandler()) { BaseAddress = new Uri(configuration.Url.TrimEnd('/') + "/") };

    public async Task<IssuedCredential> IssueAsync(IssueRequest request, IIssueJournal journal, CancellationToken cancellationToken)
    {
        Require(OurName().IsMatch(request.ExternalName) && OurMark().IsMatch(request.Mark), "This is no name and no mark of ours.");
        var door = Document<DoorTemplate>.Read(request.Template).Door;
        // The service compares the deadline with its own clock: a request that was held up makes nothing.
        var body = new { door, mark = request.Mark, expires = request.ExpiresAt, deadline = request.Deadline };
        using var answer = await SendAsync(HttpMethod.Put, $"codes/{request.ExternalName}", JsonContent.Create(body), creates: true, cancellationToken);
        Require(answer.StatusCode != HttpStatusCode.Conflict, "There is something of this name already.");
        Require(answer.StatusCode != HttpStatusCode.PreconditionFailed, "The deadline has passed.");
        if (answer.StatusCode != HttpStatusCode.Created) throw new ProviderException(ProviderFault.Misconfigured, $"The service answered {answer.StatusCode}.");
        var made = await answer.Content.ReadFromJsonAsync<Made>(cancellationToken);
        return new IssuedCredential
        {
            Fields = new Dictionary<string, CredentialField> { ["code"] = new(new Secret(made!.Code)) },
            ExpiresAt = request.ExpiresAt,
        };
    }

    public async Task<RevokeOutcome> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken)
    {
        Require(OurName().IsMatch(request.ExternalName) && OurMark().IsMatch(request.Mark), "This is no name and no mark of ours.");
        if (await FindAsync(request.ExternalName, cancellationToken) is { } found)
        {
            // What has our name and not our mark is somebody else's.
            Require(found.Mark == request.Mark, "What has this name does not carry our mark.");
            using var deleted = await SendAsync(HttpMethod.Delete, $"codes/{request.ExternalName}", null, creates: false, cancellationToken);
        }

        // The answer to DELETE proves nothing: look, and say who said so and when.
        var service = await IdentifyAsync(cancellationToken);
        if (await FindAsync(request.ExternalName, cancellationToken) is not null)
            return new RevokeOutcome.Settling(service.Id, service.Now.AddSeconds(1), "The service still has the code.");
        // A call whose answer was lost may still make it: until then "not there" says nothing.
        if (request.MayStillArriveUntil is { } until && service.Now < until)
            return new RevokeOutcome.Settling(service.Id, until, "The issuing call may still take effect.");
        return new RevokeOutcome.Gone(service.Id, new Evidence("code_absent", $"The service {service.Id} has no code {request.ExternalName}.", service.Now));
    }

    public async Task<ProviderHealth> CheckAsync(CancellationToken cancellationToken) =>
        new((await IdentifyAsync(cancellationToken)).Id, [new HealthFinding(FindingLevel.Ok, "service", "It answers.")]);

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<(string Id, DateTimeOffset Now)> IdentifyAsync(CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(HttpMethod.Get, "identity", null, creates: false, cancellationToken);
        var service = await answer.Content.ReadFromJsonAsync<Service>(cancellationToken);
        return ($"doors:{service!.Id}", service.Now);
    }

    private async Task<Found?> FindAsync(string name, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(HttpMethod.Get, $"codes/{name}", null, creates: false, cancellationToken);
        return answer.StatusCode == HttpStatusCode.NotFound ? null : await answer.Content.ReadFromJsonAsync<Found>(cancellationToken);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? body, bool creates, CancellationToken cancellationToken)
    {
        try
        {
            using var message = new HttpRequestMessage(method, path) { Content = body };
            var answer = await _http.SendAsync(message, cancellationToken);
            return answer.StatusCode switch
            {
                // Both are the service's own word that it did nothing.
                HttpStatusCode.TooManyRequests => throw new ProviderException(ProviderFault.Throttled, "The service asks for fewer calls.", ProviderEffect.None, answer.Headers.RetryAfter?.Delta),
                HttpStatusCode.Forbidden => throw new ProviderException(ProviderFault.Denied, "The service refuses the broker.", ProviderEffect.None),
                _ => answer,
            };
        }
        catch (HttpRequestException e)
        {
            // What was sent may have been done, answered or not.
            throw new ProviderException(ProviderFault.Unreachable, e.Message, creates ? ProviderEffect.Unknown : ProviderEffect.None, innerException: e);
        }
    }

    private static void Require(bool holds, string words)
    {
        if (!holds) throw new ProviderException(ProviderFault.Credential, words, ProviderEffect.None);
    }

    [GeneratedRegex(@"\Acb-[a-z0-9]{6}-[0-9a-z]{26}\z")]
    private static partial Regex OurName();

    [GeneratedRegex(@"\Acb1:[A-Za-z0-9:_-]{1,100}\z")]
    private static partial Regex OurMark();

    private sealed record Made(string Code);

    private sealed record Found(string Mark);

    private sealed record Service(string Id, DateTimeOffset Now);
}
