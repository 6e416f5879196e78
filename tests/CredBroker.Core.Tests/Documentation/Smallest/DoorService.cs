using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CredBroker.Abstractions;
using CredBroker.Testing.Conformance;

namespace CredBroker.Core.Tests.Documentation.Smallest;

/// <summary>The service that the smallest provider is for, behind its egress: it can be made to misbehave.</summary>
internal sealed class DoorService(string id, TimeProvider time) : HttpMessageHandler, IEgress
{
    private readonly Dictionary<string, (string Mark, string Code, DateTimeOffset Expires)> _codes = [];
    private (TargetFault Kind, int Sparing, Misbehaviour Misbehaviour)? _fault;

    public TimeSpan ClockOffset { get; private set; }

    public int Created { get; private set; }

    public DateTimeOffset Now => time.GetUtcNow() + ClockOffset;

    public bool Opens(string code) => _codes.Values.Any(known => known.Code == code && known.Expires > Now);

    public bool Has(string name) => _codes.ContainsKey(name);

    public void Plant(string name) => _codes[name] = ("mine", "0000", Now.AddHours(1));

    public void Remove(string name) => _codes.Remove(name);

    public Misbehaviour Misbehave(TargetFault fault, int sparing)
    {
        var misbehaviour = new Misbehaviour(() =>
        {
            _fault = null;
            ClockOffset = TimeSpan.Zero;
            return ValueTask.CompletedTask;
        });
        if (fault == TargetFault.ClockBehind) ClockOffset = -Misbehaviour.ClockOffset;
        else _fault = (fault, sparing, misbehaviour);
        return misbehaviour;
    }

    public Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, int port, CancellationToken cancellationToken) => throw new NotSupportedException();

    public HttpMessageHandler CreateHttpHandler(X509Certificate2Collection? authorities = null) => this;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var changes = request.Method != HttpMethod.Get;
        if (request.Method == HttpMethod.Put) Created++;
        if (!changes || Next(request.Method) is not { } fault) return await AnswerAsync(request);
        fault.Misbehaviour.Meet();
        switch (fault.Kind)
        {
            case TargetFault.Throttled:
                return new HttpResponseMessage(HttpStatusCode.TooManyRequests) { Headers = { RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(7)) } };
            case TargetFault.Denied:
                return new HttpResponseMessage(HttpStatusCode.Forbidden);
            case TargetFault.Slow:
                await Task.Delay(TimeSpan.FromSeconds(0.5), TimeProvider.System, cancellationToken);
                return await AnswerAsync(request);
            case TargetFault.Hanging:
                await AnswerAsync(request);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                break;
        }

        await AnswerAsync(request);
        throw new HttpRequestException("The connection was lost.");
    }

    private (TargetFault Kind, int Sparing, Misbehaviour Misbehaviour)? Next(HttpMethod method)
    {
        if (_fault is not { } fault) return null;
        if (method != HttpMethod.Put || fault.Sparing == 0) return fault;
        _fault = fault with { Sparing = fault.Sparing - 1 };
        return null;
    }

    private async Task<HttpResponseMessage> AnswerAsync(HttpRequestMessage request)
    {
        var path = request.RequestUri!.AbsolutePath.Trim('/');
        if (path == "identity") return Json(HttpStatusCode.OK, new { id, now = Now });
        var name = path["codes/".Length..];
        if (request.Method == HttpMethod.Get) return _codes.TryGetValue(name, out var found) ? Json(HttpStatusCode.OK, new { mark = found.Mark }) : new HttpResponseMessage(HttpStatusCode.NotFound);
        if (request.Method == HttpMethod.Delete) return new HttpResponseMessage(_codes.Remove(name) ? HttpStatusCode.NoContent : HttpStatusCode.NotFound);
        var body = await request.Content!.ReadFromJsonAsync<JsonElement>();
        if (body.GetProperty("deadline").GetDateTimeOffset() < Now) return new HttpResponseMessage(HttpStatusCode.PreconditionFailed);
        if (body.GetProperty("door").GetString()!.Contains('{')) return new HttpResponseMessage(HttpStatusCode.Forbidden);
        if (_codes.ContainsKey(name)) return new HttpResponseMessage(HttpStatusCode.Conflict);
        var code = Uid.New(TimeProvider.System).ToString();
        _codes[name] = (body.GetProperty("mark").GetString()!, code, body.GetProperty("expires").GetDateTimeOffset());
        return Json(HttpStatusCode.Created, new { code });
    }

    private static HttpResponseMessage Json(HttpStatusCode status, object body) => new(status) { Content = JsonContent.Create(body) };
}
