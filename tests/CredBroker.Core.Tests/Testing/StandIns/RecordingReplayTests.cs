using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Core.Tests.Testing.StandIns;

/// <summary>A comparison that finds nothing would let every stand-in pass.</summary>
internal sealed class RecordingReplayTests
{
    private const string Login = """{"auth": {"client_token": "<token:broker>", "lease_duration": 3600, "renewable": true}, "at": "<time:now>", "made": "<unix:made>", "id": "<uuid:id>"}""";

    [Test]
    public async Task What_was_recorded_is_no_difference()
    {
        var recording = Recorded(Exchange("log in", "POST", "/login", """{"secret": "<secret:given>"}""", 200, Login), Exchange("look", "GET", "/look/<token:broker>", null, 200, """{"token": "<token:broker>"}"""));
        var asked = new List<StandInRequest>();
        var differences = await ReplayAsync(recording, request =>
        {
            asked.Add(request);
            return request.Path == "/login" ? Good() : StandInAnswer.Json(200, JsonNode.Parse("""{"token": "s.1"}"""));
        });
        Assert.That(differences, Is.Empty);
        Assert.That(asked[0].Text, Is.EqualTo("""{"secret":"of the test"}"""));
        Assert.That(asked[1].Target, Is.EqualTo("/look/s.1"), "what the first answer taught stands in the second request");
    }

    [TestCase("""{"auth": {"client_token": "s.1", "lease_duration": 3600, "renewable": true}, "at": "2026-01-01T00:00:00Z", "made": 17}""", "$.id is missing")]
    [TestCase("""{"auth": {"client_token": "s.1", "lease_duration": 3601, "renewable": true}, "at": "2026-01-01T00:00:00Z", "made": 17, "id": "0f8fad5b-d9cb-469f-a165-70867728950e"}""", "$.auth.lease_duration")]
    [TestCase("""{"auth": {"client_token": "s.1", "lease_duration": 3600, "renewable": false}, "at": "2026-01-01T00:00:00Z", "made": 17, "id": "0f8fad5b-d9cb-469f-a165-70867728950e"}""", "$.auth.renewable")]
    [TestCase("""{"auth": {"client_token": "s.1", "lease_duration": "3600", "renewable": true}, "at": "2026-01-01T00:00:00Z", "made": 17, "id": "0f8fad5b-d9cb-469f-a165-70867728950e"}""", "$.auth.lease_duration")]
    [TestCase("""{"auth": {"client_token": "s.1", "lease_duration": 3600, "renewable": true}, "at": "soon", "made": 17, "id": "0f8fad5b-d9cb-469f-a165-70867728950e"}""", "$.at")]
    [TestCase("""{"auth": {"client_token": "s.1", "lease_duration": 3600, "renewable": true}, "at": "2026-01-01T00:00:00Z", "made": "17", "id": "0f8fad5b-d9cb-469f-a165-70867728950e"}""", "$.made")]
    [TestCase("""{"auth": {"client_token": "s.1", "lease_duration": 3600, "renewable": true}, "at": "2026-01-01T00:00:00Z", "made": 17, "id": "none"}""", "$.id")]
    [TestCase("""{"auth": {"client_token": "s.1", "lease_duration": 3600, "renewable": true}, "at": "2026-01-01T00:00:00Z", "made": 17, "id": "0f8fad5b-d9cb-469f-a165-70867728950e", "more": 1}""", "$.more is answered")]
    [TestCase("""{"auth": null, "at": "2026-01-01T00:00:00Z", "made": 17, "id": "0f8fad5b-d9cb-469f-a165-70867728950e"}""", "$.auth")]
    [TestCase("no JSON", "the body")]
    public async Task Names_the_place_of_a_difference_in_JSON(string answered, string place)
    {
        var differences = await ReplayAsync(Recorded(Exchange("log in", "GET", "/login", null, 200, Login)), _ => StandInAnswer.Of(200, answered, "application/json"));
        Assert.That(differences.Single(), Does.Contain(place).And.StartWith("made up, 1 \"log in\":"));
    }

    [Test]
    public async Task Names_status_header_and_a_placeholder_that_changed()
    {
        var recording = Recorded(Exchange("log in", "GET", "/login", null, 200, Login), Exchange("again", "GET", "/login", null, 200, Login));
        var logins = 0;
        var differences = await ReplayAsync(recording, _ => logins++ == 0 ? Good() : StandInAnswer.Of(403, Good().Text.Replace("s.1", "s.2", StringComparison.Ordinal), "text/html"));
        Assert.That(differences, Has.Count.EqualTo(3));
        Assert.That(differences[0], Does.Contain("status 200"));
        Assert.That(differences[1], Does.Contain("header Content-Type"));
        Assert.That(differences[2], Does.Contain("$.auth.client_token").And.Contain("s.2"));
    }

    [Test]
    public async Task Reports_a_request_that_cannot_be_made()
    {
        var differences = await ReplayAsync(Recorded(Exchange("look", "GET", "/look/<token:nobody>", null, 200, null)), _ => StandInAnswer.Empty(200));
        Assert.That(differences.Single(), Does.Contain("<token:nobody>"));
    }

    [Test]
    public async Task Leaves_out_and_allows_only_what_was_said()
    {
        var recording = Recorded(Exchange("log in", "GET", "/login", null, 200, """{"ttl": 60, "version": "1", "keys": ["a", "b"]}"""), Exchange("other", "GET", "/other", null, 200, null));
        async Task<IReadOnlyList<string>> Run(Action<RecordingReplay> arrange) => await ReplayAsync(
            recording, _ => StandInAnswer.Json(200, JsonNode.Parse("""{"ttl": 59, "version": "2", "keys": ["b", "a"]}""")), arrange);
        Assert.That(await Run(_ => { }), Has.Count.EqualTo(5));
        Assert.That(
            await Run(replay =>
            {
                replay.Allow.Near("ttl", 1, "a second passes");
                replay.Allow.Vary("$.version", "ours is made up");
                replay.Allow.AnyOrder("keys", "a set");
                replay.LeaveOut("other", "it is not covered");
            }),
            Is.Empty);
        Assert.That(() => Run(replay => replay.LeaveOut("no such exchange", "?")), Throws.ArgumentException);
    }

    [Test]
    public async Task Compares_XML_by_elements()
    {
        const string recorded = """<R xmlns="https://sts"><C><Id><accesskey:a></Id><E><time:e></E></C><N>6</N></R>""";
        async Task<IReadOnlyList<string>> Run(string answered) => await ReplayAsync(
            Recorded(Exchange("assume", "POST", "/", "Action=AssumeRole&Name=<name:role>", 200, recorded, "application/x-www-form-urlencoded", "text/xml")),
            request => request.Form()["Name"] == "a b&c" ? StandInAnswer.Of(200, answered, "text/xml") : StandInAnswer.Of(400, "", "text/xml"));
        Assert.That(await Run("<R xmlns=\"https://sts\">\n <C> <Id>AKIA</Id><E>2026-01-01T00:00:00Z</E></C><N>6</N></R>"), Is.Empty);
        Assert.That((await Run("""<R xmlns="https://sts"><C><Id>AKIA</Id><E>2026-01-01T00:00:00Z</E></C><N>7</N></R>""")).Single(), Does.Contain("R.N"));
        Assert.That((await Run("""<R xmlns="https://sts"><C><Id>AKIA</Id></C><N>6</N></R>""")).Single(), Does.Contain("R.C.E"));
        Assert.That((await Run("""<R xmlns="https://sts"><C><Id>AKIA</Id><E>2026-01-01T00:00:00Z</E></C><N>6</N><M/></R>""")).Single(), Does.Contain("R.M"));
        Assert.That(await Run("""<R xmlns="https://iam"><C><Id>AKIA</Id><E>2026-01-01T00:00:00Z</E></C><N>6</N></R>"""), Is.Not.Empty);
        Assert.That(await Run("<R"), Is.Not.Empty);
    }

    private static StandInAnswer Good() => StandInAnswer.Of(
        200,
        """{"auth": {"client_token": "s.1", "lease_duration": 3600, "renewable": true}, "at": "2026-01-01T00:00:00Z", "made": 17, "id": "0f8fad5b-d9cb-469f-a165-70867728950e"}""",
        "application/json");

    private static Recording Recorded(params RecordedExchange[] exchanges) => new("made up", "", "", "", exchanges);

    private static RecordedExchange Exchange(
        string name, string method, string path, string? request, int status, string? response, string requestType = "application/json", string responseType = "application/json") => new(
        name,
        null,
        new(method, path, request is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["Content-Type"] = requestType }, Node(request)),
        new(status, response is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["Content-Type"] = responseType }, Node(response)));

    private static JsonNode? Node(string? text) => text is null ? null : text.StartsWith('{') ? JsonNode.Parse(text) : JsonValue.Create(text);

    private static async Task<IReadOnlyList<string>> ReplayAsync(Recording recording, Func<StandInRequest, StandInAnswer> standIn, Action<RecordingReplay>? arrange = null)
    {
        await using var host = await StandInHost.StartAsync(new() { Clock = TimeProvider.System }, standIn);
        using var client = host.CreateClient();
        var replay = new RecordingReplay(recording, client) { Supply = placeholder => placeholder switch { "secret:given" => "of the test", "name:role" => "a b&c", _ => null } };
        arrange?.Invoke(replay);
        return await replay.RunAsync();
    }
}
