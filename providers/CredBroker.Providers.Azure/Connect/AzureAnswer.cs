using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CredBroker.Abstractions;

namespace CredBroker.Providers.Azure.Connect;

/// <summary>What a service answered.</summary>
internal sealed class AzureAnswer(int status, byte[] body, DateTimeOffset now, TimeSpan? retryAfter)
{
    private ServiceError? _error;

    public int Status { get; } = status;

    /// <summary>The service's own clock, to the second.</summary>
    public DateTimeOffset Now { get; } = now;

    public TimeSpan? RetryAfter { get; } = retryAfter;

    public bool Succeeded => Status is >= 200 and < 300;

    /// <summary>What the service says is wrong; empty where it does not say it in its own form.</summary>
    public ServiceError Error => _error ??= ReadError();

    /// <summary>Reads the body.</summary>
    /// <exception cref="ProviderException">It is not what the service's contract says.</exception>
    public T Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (JsonSerializer.Deserialize(body, type) is { } value) return value;
        }
        catch (JsonException)
        {
            // Its own message would quote the body.
        }

        throw new ProviderException(ProviderFault.Unreachable, $"The service answered {Status} with a body that is not one of its own.");
    }

    /// <summary>The same for the token endpoint, which has a form of its own.</summary>
    public TokenError? ReadTokenError() => Faults.ReadTokenError(System.Text.Encoding.UTF8.GetString(body));

    private ServiceError ReadError()
    {
        try
        {
            return JsonSerializer.Deserialize(body, AzureJson.Default.ErrorEnvelope)?.Error ?? ServiceError.None;
        }
        catch (JsonException)
        {
            return ServiceError.None;
        }
    }
}
