using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.TestSupport.StandIns;

namespace CredBroker.Providers.Azure.Tests.StandIn;

/// <summary>The token endpoint and its discovery. Secrets are compared, assertions verified by their issuer's keys, certificates by theirs.</summary>
internal sealed class TokenEndpoint(Tenant tenant, TimeProvider time, Timing timing, Func<string, string?> keysOf)
{
    private static readonly TimeSpan Leeway = TimeSpan.FromMinutes(5);

    public StandInAnswer Answer(StandInRequest request)
    {
        if (request.Path.StartsWith("/common/discovery/instance", StringComparison.Ordinal)) return Discovery.Instance(tenant.Id, request);
        var of = request.Path.Split('/')[1];
        if (!of.Equals(tenant.Id, StringComparison.OrdinalIgnoreCase))
            return Refuse(request, 400, "invalid_tenant", 90002, $"Tenant '{of}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.");
        return request.Path.EndsWith("/v2.0/.well-known/openid-configuration", StringComparison.Ordinal) ? Discovery.OpenId(tenant.Id) : Token(request);
    }

    /// <summary>Gives a token out. It is signed by nobody: whoever takes it asks the stand-in.</summary>
    public string Give(string appId, string principalId, string audience, TimeSpan life)
    {
        var now = time.GetUtcNow();
        var roles = audience == "https://graph.microsoft.com" ? tenant.PrincipalOf(appId)?.GraphRoles : null;
        var claims = new JsonObject
        {
            ["aud"] = audience,
            ["iss"] = $"https://sts.windows.net/{tenant.Id}/",
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + life).ToUnixTimeSeconds(),
            ["appid"] = appId,
            ["oid"] = principalId,
            ["tid"] = tenant.Id,
        };
        if (roles is { Count: > 0 }) claims["roles"] = new JsonArray([.. roles.Select(role => JsonValue.Create(role))]);
        var token = $"{Encode("""{"typ":"JWT","alg":"RS256"}""")}.{Encode(claims.ToJsonString())}.{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(64))}";
        tenant.Tokens[token] = new TokenObject(appId, principalId, audience, now + life);
        return token;
    }

    private StandInAnswer Token(StandInRequest request)
    {
        var form = request.Form();
        string Field(string name) => form.TryGetValue(name, out var value) ? value : "";
        var clientId = Field("client_id");
        if (Field("grant_type") != "client_credentials") return Refuse(request, 400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
        var application = tenant.ByAppId(clientId);
        if (application is null || !Spread(application.Created, timing.ApplicationSpreads))
            return Refuse(request, 400, "unauthorized_client", 700016, $"Application with identifier '{clientId}' was not found in the directory 'Test'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.");
        TimeSpan life;
        if (Field("client_secret") is { Length: > 0 } secret)
        {
            if (!Takes(application, secret))
                return Refuse(request, 401, "invalid_client", 7000215, $"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{clientId}'.");
            life = timing.SecretTokenLife;
        }
        else
        {
            if (Field("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") return Refuse(request, 401, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.");
            if (Verify(application, clientId, Field("client_assertion")) is { } refusal) return Refuse(request, refusal.Status, refusal.Error, refusal.Code, refusal.Text);
            life = timing.AssertionTokenLife;
        }

        var principal = tenant.PrincipalOf(clientId);
        if (principal is null) return Refuse(request, 401, "invalid_client", 7000229, "The client application is missing service principal in the tenant.");
        var scope = Field("scope");
        if (!scope.EndsWith("/.default", StringComparison.Ordinal)) return Refuse(request, 400, "invalid_scope", 1002012, "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.");
        if (Field("claims").Contains("cp1", StringComparison.Ordinal)) life = TimeSpan.FromSeconds(86_399);
        var seconds = (long)life.TotalSeconds;
        var body = new JsonObject { ["token_type"] = "Bearer", ["expires_in"] = seconds, ["ext_expires_in"] = seconds };
        if (seconds > 80_000 && !Field("claims").Contains("cp1", StringComparison.Ordinal)) body["refresh_in"] = seconds / 2;
        body["access_token"] = Give(clientId, principal.Id, scope[..^"/.default".Length], life);
        return Headers(request, StandInAnswer.Json(200, body, AzureStandIn.Json), "1,0,0,,", Tenant.NewId());
    }

    private bool Takes(AppObject application, string secret)
    {
        var now = time.GetUtcNow();
        return application.Passwords.Any(password => password.Secret == secret && password.End > now && Spread(password.Added, timing.PasswordSpreads))
            || application.RemovedPasswords.Any(password => password.Secret == secret && password.End > now && password.Removed + timing.PasswordRemovalSpreads > now);
    }

    private bool Spread(DateTimeOffset made, TimeSpan needs) => time.GetUtcNow() >= made + needs;

    private (int Status, string Error, long Code, string Text)? Verify(AppObject application, string clientId, string assertion)
    {
        var parts = assertion.Split('.');
        JsonObject header, claims;
        try
        {
            header = JsonNode.Parse(Base64Url.DecodeFromChars(parts[0]))!.AsObject();
            claims = JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!.AsObject();
        }
        catch (Exception e) when (e is FormatException or JsonException or IndexOutOfRangeException or NullReferenceException or InvalidOperationException)
        {
            return (401, "invalid_client", 50027, "JWT token is invalid or malformed.");
        }

        var (issuer, subject, audience) = ((string?)claims["iss"] ?? "", (string?)claims["sub"] ?? "", (string?)claims["aud"] ?? "");
        var now = (timing.AssertionClock ?? time).GetUtcNow();
        if (Instant(claims["exp"]) + Leeway < now || Instant(claims["nbf"]) - Leeway > now)
            return (401, "invalid_client", 700024, "Client assertion is not within its valid time range.");
        if (issuer == clientId) return VerifyCertificate(application, header, parts, subject, clientId);

        var known = application.Federated.Where(credential => Spread(credential.Added, timing.FederatedCredentialSpreads)).ToList();
        if (!known.Any(credential => credential.Issuer == issuer && credential.Audiences.Contains(audience)))
            return (400, "invalid_request", 70021, $"No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: '{audience}'.");
        if (!known.Any(credential => credential.Issuer == issuer && credential.Subject == subject && credential.Audiences.Contains(audience)))
        {
            var code = known.Any(credential => credential.Subject.Equals(subject, StringComparison.OrdinalIgnoreCase)) ? 7002138 : 700213;
            return (401, "invalid_client", code, $"No matching federated identity record found for presented assertion subject '{subject}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.");
        }

        return keysOf(issuer) is { } keys && IsSigned(keys, header, parts) ? null : (401, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application, or the signature is invalid.");
    }

    private static (int Status, string Error, long Code, string Text)? VerifyCertificate(AppObject application, JsonObject header, string[] parts, string subject, string clientId)
    {
        var thumbprint = (string?)header["x5t#S256"] ?? "";
        if (subject != clientId || !application.Certificates.TryGetValue(thumbprint, out var key)) return (401, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application.");
        var padding = (string?)header["alg"] == "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;
        return key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, padding)
            ? null
            : (401, "invalid_client", 700027, "Client assertion contains an invalid signature.");
    }

    private static bool IsSigned(string keys, JsonObject header, string[] parts)
    {
        if ((string?)header["alg"] != "RS256" || parts.Length != 3) return false;
        foreach (var key in JsonNode.Parse(keys)!["keys"]!.AsArray())
        {
            if ((string?)key!["kid"] != (string?)header["kid"] || (string?)key["kty"] != "RSA") continue;
            using var rsa = RSA.Create(new RSAParameters { Modulus = Base64Url.DecodeFromChars((string)key["n"]!), Exponent = Base64Url.DecodeFromChars((string)key["e"]!) });
            return rsa.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }

        return false;
    }

    private StandInAnswer Refuse(StandInRequest request, int status, string error, long code, string text)
    {
        var (trace, correlation) = (Tenant.NewId(), request.Header("client-request-id") ?? request.Header("x-ms-client-request-id") ?? Tenant.NewId());
        var timestamp = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd HH:mm:ssZ", CultureInfo.InvariantCulture);
        var body = new JsonObject
        {
            ["error"] = error,
            ["error_description"] = $"AADSTS{code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {timestamp}",
            ["error_codes"] = new JsonArray(code),
            ["timestamp"] = timestamp,
            ["trace_id"] = trace,
            ["correlation_id"] = correlation,
            ["error_uri"] = $"https://login.microsoftonline.com/error?code={code}",
        };
        return Headers(request, StandInAnswer.Json(status, body, AzureStandIn.Json), $"1,{code},0,,", trace);
    }

    private static StandInAnswer Headers(StandInRequest request, StandInAnswer answer, string telemetry, string trace)
    {
        answer = answer.With("Cache-Control", "no-store, no-cache").With("x-ms-clitelem", telemetry).With("x-ms-request-id", trace);
        return request.Header("client-request-id") is { } id ? answer.With("client-request-id", id) : answer;
    }

    private static DateTimeOffset Instant(JsonNode? claim) =>
        DateTimeOffset.FromUnixTimeSeconds(long.TryParse(claim?.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : 0);

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
