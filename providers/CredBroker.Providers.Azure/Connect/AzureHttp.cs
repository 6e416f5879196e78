using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using CredBroker.Abstractions;

namespace CredBroker.Providers.Azure.Connect;

/// <summary>
/// Calls to Microsoft Graph and Azure Resource Manager, each sent once: retrying is for whoever knows what a call does. Nothing is logged or traced by the
/// pipeline, since answers can hold secrets.
/// </summary>
internal sealed class AzureHttp : IDisposable
{
    private const int LargestAnswer = 8 * 1024 * 1024;
    private readonly HttpClient _client;
    private readonly HttpPipeline _pipeline;
    private readonly ProviderContext _context;

    public AzureHttp(ProviderContext context, AzureConfiguration configuration)
    {
        _context = context;
        _client = new HttpClient(new RefusalRedaction(context.Egress.CreateHttpHandler(), "Authorization", "client_secret", "client_assertion", "value")) { Timeout = Timeout.InfiniteTimeSpan };
        Transport = new HttpClientTransport(_client);
        CallTimeout = configuration.CallTimeout;
        _pipeline = HttpPipelineBuilder.Build(Configure(new PipelineOptions()));
        Addresses = AzureAddresses.Of(configuration);
        Tokens = new BrokerTokens(context, configuration, this);
    }

    public AzureAddresses Addresses { get; }

    public BrokerTokens Tokens { get; }

    public HttpClientTransport Transport { get; }

    private TimeSpan CallTimeout { get; }

    /// <summary>What every client of the SDK is set to here.</summary>
    public T Configure<T>(T options)
        where T : ClientOptions
    {
        options.Transport = Transport;
        options.Retry.MaxRetries = 0;
        options.Retry.NetworkTimeout = CallTimeout;
        options.Diagnostics.IsLoggingEnabled = false;
        options.Diagnostics.IsLoggingContentEnabled = false;
        options.Diagnostics.IsDistributedTracingEnabled = false;
        options.Diagnostics.IsTelemetryEnabled = false;
        return options;
    }

    /// <summary>Sends a call. A token that the service no longer takes is replaced once: a call that it refused had no effect.</summary>
    public async Task<AzureAnswer> SendAsync(AzureCall call, CancellationToken cancellationToken)
    {
        if (call.Scope is null) return await SendOnceAsync(call, null, cancellationToken).ConfigureAwait(false);
        var token = await Tokens.GetAsync(call.Scope, cancellationToken).ConfigureAwait(false);
        var answer = await SendOnceAsync(call, token, cancellationToken).ConfigureAwait(false);
        if (answer.Status != 401) return answer;
        Tokens.Forget(call.Scope, token);
        token = await Tokens.GetAsync(call.Scope, cancellationToken).ConfigureAwait(false);
        return await SendOnceAsync(call, token, cancellationToken).ConfigureAwait(false);
    }

    private async Task<AzureAnswer> SendOnceAsync(AzureCall call, Secret? token, CancellationToken cancellationToken)
    {
        using var message = _pipeline.CreateMessage();
        message.BufferResponse = false;
        message.Request.Method = call.Method;
        message.Request.Uri.Reset(call.Address);
        message.Request.Headers.SetValue("Accept", "application/json");
        if (token is not null) message.Request.Headers.SetValue("Authorization", $"Bearer {token.Reveal()}");
        if (call.IsAdvancedQuery) message.Request.Headers.SetValue("ConsistencyLevel", "eventual");
        if (call.CreateIfMissing) message.Request.Headers.SetValue("Prefer", "create-if-missing");
        if (call.Body is { } body)
        {
            message.Request.Headers.SetValue("Content-Type", call.ContentType);
            message.Request.Content = RequestContent.Create(body);
        }

        try
        {
            await _pipeline.SendAsync(message, cancellationToken).ConfigureAwait(false);
            var response = message.Response;
            return new AzureAnswer(
                response.Status,
                await ReadAsync(response, cancellationToken).ConfigureAwait(false),
                response.Headers.Date ?? _context.Time.GetUtcNow(),
                RetryAfterOf(response));
        }
        catch (Exception e) when (Faults.Translate(e, call.Makes, cancellationToken) is { } translated)
        {
            throw translated;
        }
    }

    /// <summary>How long a service asks to wait: whole seconds, at most a day.</summary>
    internal static TimeSpan? RetryAfterOf(Response response) =>
        response.Headers.TryGetValue("Retry-After", out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= 86_400
            ? TimeSpan.FromSeconds(seconds)
            : null;

    private static async Task<byte[]> ReadAsync(Response response, CancellationToken cancellationToken)
    {
        if (response.ContentStream is not { } stream) return [];
        using var whole = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            whole.Write(buffer, 0, read);
            if (whole.Length > LargestAnswer) throw new IOException("The answer is larger than any that is expected.");
        }

        return whole.ToArray();
    }

    public void Dispose() => _client.Dispose();

    private sealed class PipelineOptions : ClientOptions;
}

/// <summary>One call.</summary>
/// <param name="Method">The method.</param>
/// <param name="Address">Where.</param>
/// <param name="Scope">The audience of the broker's token for it; null for a call that carries none.</param>
internal sealed record AzureCall(RequestMethod Method, Uri Address, string? Scope)
{
    public byte[]? Body { get; private init; }

    public string ContentType { get; private init; } = "application/json";

    /// <summary>It makes something: silence then proves nothing.</summary>
    public bool Makes { get; init; }

    public bool CreateIfMissing { get; init; }

    /// <summary>A query that Graph answers from an index alone: it wants to hear that this is understood.</summary>
    public bool IsAdvancedQuery { get; init; }

    public AzureCall WithJson<T>(T body, JsonTypeInfo<T> type) => this with { Body = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(body, type) };

    public AzureCall WithForm(string form) => this with { Body = System.Text.Encoding.ASCII.GetBytes(form), ContentType = "application/x-www-form-urlencoded" };
}
