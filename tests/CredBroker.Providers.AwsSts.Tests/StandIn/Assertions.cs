using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace CredBroker.Providers.AwsSts.Tests.StandIn;

/// <summary>Verifies a signed assertion by the issuer's key set.</summary>
internal static class Assertions
{
    public static (string Issuer, string Subject, string Audience) Verify(string token, AwsStandIn aws)
    {
        if (token.Split('.') is not [var header, var claims, var signature]) throw Invalid("The token is not a JWT.");
        JsonElement head, body;
        byte[] signed;
        try
        {
            (head, body, signed) = (Read(header), Read(claims), Base64Url.DecodeFromChars(signature));
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw Invalid("The token cannot be read.");
        }

        var issuer = Text(body, "iss");
        if (!aws.Issuers.TryGetValue(issuer, out var known)) throw Invalid("No OpenIDConnect provider found in your account for the issuer.");
        if (Text(head, "alg") != "RS256" || !IsSigned($"{header}.{claims}", signed, known.KeySet, Text(head, "kid"))) throw Invalid("The signature is not valid.");
        if (!known.Audiences.Contains(Text(body, "aud"))) throw Invalid("Incorrect token audience");
        var now = aws.Now.ToUnixTimeSeconds();
        if (body.GetProperty("exp").GetInt64() <= now) throw new AwsErrorException("ExpiredTokenException", 400, "Token expired");
        if (body.GetProperty("iat").GetInt64() > now + 300) throw Invalid("The token is from the future.");
        return (issuer, Text(body, "sub"), Text(body, "aud"));
    }

    private static bool IsSigned(string text, byte[] signature, string keySet, string keyId)
    {
        foreach (var key in JsonElement.Parse(keySet).GetProperty("keys").EnumerateArray().Where(key => Text(key, "kid") == keyId))
        {
            using var rsa = RSA.Create(new RSAParameters { Modulus = Base64Url.DecodeFromChars(Text(key, "n")), Exponent = Base64Url.DecodeFromChars(Text(key, "e")) });
            if (rsa.VerifyData(Encoding.ASCII.GetBytes(text), signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)) return true;
        }

        return false;
    }

    private static JsonElement Read(string part) => JsonElement.Parse(Base64Url.DecodeFromChars(part));

    private static string Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static AwsErrorException Invalid(string message) => new("InvalidIdentityToken", 400, message);
}
