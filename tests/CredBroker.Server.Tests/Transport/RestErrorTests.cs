using System.Net;
using System.Text;
using System.Text.Json;

namespace CredBroker.Server.Tests.Transport;

/// <summary>What REST refuses, and that it always answers in the one form.</summary>
[TestFixture]
internal sealed class RestErrorTests
{
    private const string Uid = "01abcdefghjkmnpqrstvwxyz23";
    private TransportHost _host = null!;

    [OneTimeSetUp]
    public async Task Start() => _host = await TransportHost.StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await _host.DisposeAsync();

    [SetUp]
    public void Clear()
    {
        _host.Received.Requests.Clear();
        _host.Received.Throw = null;
    }

    [TestCase("""{"intent":{"what":"a"},"wrong":1}""", "wrong")]
    [TestCase("""{"intent":{"what":"a","wut":"b"}}""", "intent.wut")]
    [TestCase("""{"intent":{"what":"a"},"intent":{"what":"b"}}""", "intent")]
    [TestCase("""{"heartbeatInterval":"5s","heartbeat_interval":"6s","intent":{"what":"a"}}""", "heartbeat_interval")]
    [TestCase("""{"intent":{"what":"a","labels":{"k":"1","k":"2"}}}""", "intent.labels[\"k\"]")]
    [TestCase("""{"intent":{"what":"a"},"ttl":"5s","deadline":"2026-01-01T00:00:00Z"}""", "deadline")]
    [TestCase("""{"intent":{"what":1}}""", "intent.what")]
    [TestCase("""{"intent":"a"}""", "intent")]
    [TestCase("""{"intent":[]}""", "intent")]
    [TestCase("""{"intent":{"what":"a"},"ttl":5}""", "ttl")]
    [TestCase("""{"intent":{"what":"a"},"ttl":"soon"}""", "ttl")]
    [TestCase("""{"intent":{"what":"a"},"ttl":"-5s"}""", "task.ttl")]
    [TestCase("""{"intent":{"what":"a\u0000"}}""", "task.intent.what")]
    [TestCase("""{"intent":{"what":"a\u001b[31m"}}""", "task.intent.what")]
    [TestCase("""{"intent":{"what":"a\u202e"}}""", "task.intent.what")]
    [TestCase("""{"intent":{"what":"a","forWhom":"a\nb"}}""", "task.intent.forWhom")]
    [TestCase("""{"intent":{"what":"\ud800"}}""", "intent.what")]
    [TestCase("""{"intent":{"what":"a","labels":{"A":"1"}}}""", "task.intent.labels[\"A\"]")]
    [TestCase("""{"intent":{"what":"a","labels":{"a":null}}}""", "intent.labels[\"a\"]")]
    [TestCase("""{"parent":"tasks/-","intent":{"what":"a"}}""", "task.parent")]
    [TestCase("""{"parent":"tasks/x' OR 1=1 --","intent":{"what":"a"}}""", "task.parent")]
    [TestCase("""{}""", "task.intent")]
    [TestCase("""{"\u202ename":1,"intent":{"what":"a"}}""", "\"\\u{202E}name\"")]
    public async Task Names_the_field_that_is_wrong(string body, string field)
    {
        var (status, error) = await PostAsync("/v1/tasks", body);

        Assert.That(status, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(Reason(error), Is.EqualTo("FIELDS_INVALID"));
        Assert.That(Fields(error), Is.EqualTo(new[] { field }));
        Assert.That(_host.Received.Requests, Is.Empty);
    }

    [Test]
    public async Task Names_every_field_that_is_wrong()
    {
        var (_, error) = await PostAsync("/v1/tasks?requestId=a%20b&pageSize=1", """{"a":1,"b":2,"intent":{"what":3}}""");

        Assert.That(Fields(error), Is.EquivalentTo(new[] { "pageSize", "a", "b", "intent.what" }));
    }

    [TestCase("""{"intent":""")]
    [TestCase("")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("""{"intent":{"what":"a"}} {}""")]
    [TestCase("""{"intent":{"what":"a"},}""")]
    [TestCase("""{/*a*/}""")]
    [TestCase("\ufeff{}")]
    public async Task Refuses_what_is_not_one_json_object(string body)
    {
        var (status, error) = await PostAsync("/v1/tasks", body.Length == 0 ? " " : body);

        Assert.That(status, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(Reason(error), Is.EqualTo("BODY_UNREADABLE"));
        Assert.That(_host.Received.Requests, Is.Empty);
    }

    [Test]
    public async Task Refuses_invalid_utf8_in_body_and_query()
    {
        var bytes = Encoding.UTF8.GetBytes("""{"intent":{"what":"?"}}""");
        bytes[Array.IndexOf(bytes, (byte)'?')] = 0xC3;
        var (_, body) = await SendAsync(HttpMethod.Post, "/v1/tasks", new ByteArrayContent(bytes) { Headers = { { "Content-Type", "application/json" } } });
        var (_, query) = await SendAsync(HttpMethod.Get, "/v1/tasks?filter=%C3%28", null);

        Assert.That(Reason(body), Is.EqualTo("BODY_UNREADABLE"));
        Assert.That(Reason(query), Is.EqualTo("FIELDS_INVALID"));
    }

    [Test]
    public async Task Refuses_deep_nesting()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"a":""", 40)) + "1" + new string('}', 40);
        var (_, tooDeepForJson) = await PostAsync("/v1/providers?providerId=a", $$"""{"type":"token","config":{{deep}}}""");
        var struct20 = string.Concat(Enumerable.Repeat("""{"a":""", 20)) + "1" + new string('}', 20);
        var (_, tooDeepForStruct) = await PostAsync("/v1/providers?providerId=a", $$"""{"type":"token","config":{{struct20}}}""");

        Assert.That(Reason(tooDeepForJson), Is.EqualTo("BODY_UNREADABLE"));
        Assert.That(Fields(tooDeepForStruct), Is.EqualTo(new[] { "provider.config" }));
    }

    [Test]
    public async Task Refuses_a_large_body_whether_or_not_it_says_its_length()
    {
        var large = $$$"""{"intent":{"what":"{{{new string('a', 10_000_000)}}}"}}""";
        var (known, error) = await PostAsync("/v1/tasks", large);
        var content = new StreamContent(new ChunkedStream(Encoding.UTF8.GetBytes(large)));
        content.Headers.Add("Content-Type", "application/json");
        var (chunked, _) = await SendAsync(HttpMethod.Post, "/v1/tasks", content);

        Assert.That(known, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        Assert.That(chunked, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        Assert.That(Reason(error), Is.EqualTo("BODY_TOO_LARGE"));
    }

    [Test]
    public async Task Takes_a_policy_set_of_a_megabyte_and_refuses_four()
    {
        var (taken, _) = await PostAsync("/v1/policySets?policySetId=a", $$"""{"kind":"SCOPED","text":"{{new string('/', 1_000_000)}}"}""");
        var (refused, _) = await PostAsync("/v1/policySets?policySetId=a", $$"""{"kind":"SCOPED","text":"{{new string('/', 4_000_000)}}"}""");

        Assert.That(taken, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(refused, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
    }

    [TestCase("/v1/tasks?unknown=1", "unknown")]
    [TestCase("/v1/tasks?pageSize=x", "pageSize")]
    [TestCase("/v1/tasks?pageSize=1&page_size=2", "page_size")]
    [TestCase("/v1/tasks?pageSize=5000", "pageSize")]
    [TestCase("/v1/tasks?pageToken=%00", "pageToken")]
    [TestCase("/v1/tasks/" + Uid + "?name=tasks/x", "name")]
    [TestCase("/v1/tasks/-", "name")]
    [TestCase("/v1/tasks/%1b%5b31m", "name")]
    public async Task Refuses_a_wrong_query_or_path(string path, string field)
    {
        var (status, error) = await SendAsync(HttpMethod.Get, path, null);

        Assert.That(status, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(Fields(error), Is.EqualTo(new[] { field }));
    }

    [Test]
    public async Task Answers_paths_methods_and_media_types_that_do_not_exist_in_the_same_form()
    {
        var missing = await SendAsync(HttpMethod.Get, "/v1/nothing", null);
        var method = await SendAsync(HttpMethod.Put, "/v1/tasks", null);
        var media = await SendAsync(HttpMethod.Post, "/v1/tasks", new StringContent("a=b", Encoding.UTF8, "application/x-www-form-urlencoded"));
        var charset = await SendAsync(HttpMethod.Post, "/v1/tasks", new StringContent("{}", Encoding.Unicode, "application/json"));

        Assert.That((missing.Status, Reason(missing.Error)), Is.EqualTo((HttpStatusCode.NotFound, "METHOD_NOT_FOUND")));
        Assert.That((method.Status, Reason(method.Error)), Is.EqualTo((HttpStatusCode.MethodNotAllowed, "HTTP_METHOD_NOT_ALLOWED")));
        Assert.That((media.Status, Reason(media.Error)), Is.EqualTo((HttpStatusCode.UnsupportedMediaType, "MEDIA_TYPE_NOT_SUPPORTED")));
        Assert.That((charset.Status, Reason(charset.Error)), Is.EqualTo((HttpStatusCode.UnsupportedMediaType, "MEDIA_TYPE_NOT_SUPPORTED")));
    }

    [Test]
    public async Task Tells_a_fault_by_its_trace_alone()
    {
        _host.Received.Throw = new InvalidOperationException("password=hunter2");
        var (status, error) = await SendAsync(HttpMethod.Get, "/v1/tasks/" + Uid, null);

        Assert.That(status, Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(Reason(error), Is.EqualTo("INTERNAL"));
        Assert.That(error.ToString(), Does.Not.Contain("hunter2"));
    }

    [Test]
    public async Task Refuses_a_body_that_names_another_resource_than_the_path()
    {
        var (_, error) = await PostAsync($"/v1/tasks/{Uid}:end", """{"name":"tasks/01abcdefghjkmnpqrstvwxyz24","outcome":"SUCCEEDED"}""");
        var (same, _) = await PostAsync($"/v1/tasks/{Uid}:end", $$"""{"name":"tasks/{{Uid}}","outcome":"SUCCEEDED"}""");

        Assert.That(Fields(error), Is.EqualTo(new[] { "name" }));
        Assert.That(same, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Takes_a_call_without_a_body_where_nothing_is_to_be_said()
    {
        var (status, _) = await SendAsync(HttpMethod.Post, $"/v1/tasks/{Uid}:heartbeat", null);

        Assert.That(status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Takes_an_update_with_its_mask_in_the_query()
    {
        var content = new StringContent("""{"owner":"platform","maxTtl":"60s"}""", Encoding.UTF8, "application/json");
        var (status, _) = await SendAsync(HttpMethod.Patch, "/v1/providers/db?updateMask=owner,maxTtl", content);
        var (wrong, error) = await SendAsync(HttpMethod.Patch, "/v1/providers/db?updateMask=type", new StringContent("{}", Encoding.UTF8, "application/json"));

        Assert.That(status, Is.EqualTo(HttpStatusCode.OK));
        var request = (CredBroker.Contracts.V1.UpdateProviderRequest)_host.Received.Requests.Single();
        Assert.That(request.UpdateMask.Paths, Is.EqualTo(new[] { "owner", "max_ttl" }));
        Assert.That(request.Provider.Name, Is.EqualTo("providers/db"));
        Assert.That(wrong, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(Fields(error), Is.EqualTo(new[] { "provider.type" }));
    }

    private Task<(HttpStatusCode Status, JsonElement Error)> PostAsync(string path, string body) =>
        SendAsync(HttpMethod.Post, path, new StringContent(body, Encoding.UTF8, "application/json"));

    private async Task<(HttpStatusCode Status, JsonElement Error)> SendAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = await _host.Rest.SendAsync(request);
        Assert.That(response.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/json"), "every answer is JSON");
        return (response.StatusCode, JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync()));
    }

    private static string? Reason(JsonElement error) => Detail(error, "type.googleapis.com/google.rpc.ErrorInfo")?.GetProperty("reason").GetString();

    private static IEnumerable<string?> Fields(JsonElement error) =>
        Detail(error, "type.googleapis.com/google.rpc.BadRequest")?.GetProperty("fieldViolations").EnumerateArray().Select(v => v.GetProperty("field").GetString()) ?? [];

    private static JsonElement? Detail(JsonElement error, string type) =>
        error.GetProperty("details").EnumerateArray().Where(d => d.GetProperty("@type").GetString() == type).Select(d => (JsonElement?)d).FirstOrDefault();

    /// <summary>A stream of unknown length.</summary>
    private sealed class ChunkedStream(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;
    }
}
