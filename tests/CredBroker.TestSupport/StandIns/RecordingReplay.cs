using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.TestSupport.StandIns;

/// <summary>
/// Sends a recording's requests to a stand-in and compares what it answers: the status, the recorded headers, and the body's members, kinds and literal
/// values. It answers with every difference, so that a test asserts that there is none.
/// </summary>
/// <param name="recording">The recording.</param>
/// <param name="client">Sends to the stand-in: its base address is the stand-in's.</param>
public sealed class RecordingReplay(Recording recording, HttpClient client)
{
    private readonly Placeholders _placeholders = new();
    private readonly Dictionary<string, string> _left = new(StringComparer.Ordinal);

    /// <summary>Asked for a placeholder that a request needs and that no answer held before; null: the request cannot be made, which is a difference.</summary>
    public Func<string, string?> Supply
    {
        get => _placeholders.Supply;
        set => _placeholders.Supply = value;
    }

    /// <summary>Runs before each exchange, to bring about what happened between two of them, such as time passing.</summary>
    public Func<RecordedExchange, Task> Before { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs on each request before it is sent, for what cannot be recorded, such as a signature over the real values.</summary>
    public Func<HttpRequestMessage, Task> Prepare { get; set; } = _ => Task.CompletedTask;

    /// <summary>What the stand-in says differently, and may.</summary>
    public Allowances Allow { get; } = new();

    /// <summary>Gives a placeholder's value.</summary>
    public void Bind(string placeholder, string value) => _placeholders.Give(placeholder, value);

    /// <summary>The value that a placeholder has by now; null if none.</summary>
    public string? ValueOf(string placeholder) => _placeholders.TryGet(placeholder, out var value) ? value : null;

    /// <summary>Leaves an exchange out.</summary>
    public void LeaveOut(string exchange, string reason)
    {
        if (recording.Exchanges.All(known => known.Name != exchange)) throw new ArgumentException($"There is no exchange {exchange} in {recording.Name}.");
        _left[exchange] = reason;
    }

    /// <summary>Replays all of it. Answers every difference, each with the recording, the exchange and the place.</summary>
    public async Task<IReadOnlyList<string>> RunAsync()
    {
        var differences = new List<string>();
        var number = 0;
        foreach (var exchange in recording.Exchanges)
        {
            number++;
            await Before(exchange);
            if (_left.ContainsKey(exchange.Name)) continue;
            var found = new List<string>();
            try
            {
                await ReplayAsync(exchange, found);
            }
            catch (Exception e) when (e is InvalidOperationException or HttpRequestException or JsonException)
            {
                found.Add(e.Message);
            }

            differences.AddRange(found.Select(difference => $"{recording.Name}, {number} \"{exchange.Name}\": {difference}"));
        }

        return differences;
    }

    private async Task ReplayAsync(RecordedExchange exchange, List<string> differences)
    {
        using var request = RequestOf(exchange.Request);
        await Prepare(request);
        using var response = await client.SendAsync(request);
        var recorded = exchange.Response;
        var body = await response.Content.ReadAsStringAsync();
        if ((int)response.StatusCode != recorded.Status)
            differences.Add(string.Create(CultureInfo.InvariantCulture, $"status {recorded.Status} was recorded, not {(int)response.StatusCode} ({Cut(body)})"));
        foreach (var (name, value) in recorded.Headers)
        {
            var actual = HeaderOf(response, name);
            if (actual is null) differences.Add($"header {name} is missing");
            else if (!Allow.Varies($"header {name}") && !_placeholders.Matches(Spaceless(value), Spaceless(actual))) differences.Add($"header {name}: recorded {Cut(value)}, answered {Cut(actual)}");
        }

        BodyComparison.Compare(_placeholders, Allow, recorded.Body, body, differences);
    }

    private HttpRequestMessage RequestOf(RecordedRequest recorded)
    {
        // Neither dot segments nor escapes may be put right on the way: some recordings are about them.
        var target = new Uri(client.BaseAddress!.GetLeftPart(UriPartial.Authority) + _placeholders.Fill(recorded.Path), new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(new HttpMethod(recorded.Method), target);
        var headers = recorded.Headers.ToDictionary(header => header.Key, header => _placeholders.Fill(header.Value), StringComparer.OrdinalIgnoreCase);
        var type = headers.GetValueOrDefault("Content-Type");
        if (ContentOf(recorded.Body, type) is { } content)
        {
            request.Content = new ByteArrayContent(content);
            if (type is not null) request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }

        foreach (var (name, value) in headers.Where(header => !header.Key.StartsWith("Content-", StringComparison.OrdinalIgnoreCase)))
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private byte[]? ContentOf(JsonNode? body, string? type)
    {
        if (body is null) return type is null ? null : [];
        if (body is JsonValue value && value.TryGetValue<string>(out var text))
        {
            var form = type?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true;
            return Encoding.UTF8.GetBytes(_placeholders.Fill(text, form ? Uri.EscapeDataString : null));
        }

        return JsonSerializer.SerializeToUtf8Bytes(Filled(body));
    }

    private JsonNode? Filled(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, Filled(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Filled)]),
        JsonValue value when value.TryGetValue<string>(out var text) =>
            Placeholders.Whole(text) is { } only && Placeholders.KindOf(only) == "unix"
                ? JsonValue.Create(long.Parse(_placeholders.Fill(text), CultureInfo.InvariantCulture))
                : JsonValue.Create(_placeholders.Fill(text)),
        _ => node?.DeepClone(),
    };

    private static string? HeaderOf(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) || response.Content.Headers.NonValidated.TryGetValues(name, out values) ? values.ToString() : null;

    private static string Spaceless(string value) => value.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant() is var lower && lower.StartsWith("application/", StringComparison.Ordinal)
        ? lower
        : value;

    internal static string Cut(string text) => text.Length > 300 ? $"{text[..300]}…" : text;
}

/// <summary>Where a stand-in may answer other values than were recorded; members and kinds stay compared. Each with its reason.</summary>
public sealed class Allowances
{
    private readonly Dictionary<string, (double Tolerance, string Reason)> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _varying = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _unordered = new(StringComparer.Ordinal);

    /// <summary>A number of this member may be this much off.</summary>
    public void Near(string member, double tolerance, string reason) => _numbers[member] = (tolerance, reason);

    /// <summary>The value at this path (<c>$.data.version</c>), or of this member wherever it stands (<c>version</c>), may be another of its kind. A header: <c>header Location</c>.</summary>
    public void Vary(string pathOrMember, string reason) => _varying[pathOrMember] = reason;

    /// <summary>The items of this member may come in another order.</summary>
    public void AnyOrder(string member, string reason) => _unordered[member] = reason;

    internal bool Varies(string path) => _varying.ContainsKey(path) || _varying.ContainsKey(MemberOf(path));

    internal bool IsNear(string path, double recorded, double actual) => _numbers.TryGetValue(MemberOf(path), out var near) && Math.Abs(recorded - actual) <= near.Tolerance;

    internal bool IsUnordered(string path) => _unordered.ContainsKey(MemberOf(path));

    private static string MemberOf(string path)
    {
        var member = path[(path.LastIndexOf('.') + 1)..];
        return member.IndexOf('[', StringComparison.Ordinal) is > 0 and var index ? member[..index] : member;
    }
}
