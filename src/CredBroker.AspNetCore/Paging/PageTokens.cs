using System.Security.Cryptography;
using System.Text;
using CredBroker.AspNetCore.Errors;
using CredBroker.Contracts.V1;
using CredBroker.Core;
using Microsoft.AspNetCore.DataProtection;

namespace CredBroker.AspNetCore.Paging;

/// <summary>
/// Tokens that say where the next page of a list starts. They carry their own key, so that inserts move nothing, and are protected, so that a caller
/// can neither read nor make one: a key may name what the caller must not see. One is good for the same list, filter and caller alone.
/// </summary>
public sealed class PageTokens(IDataProtectionProvider protection)
{
    private const int DefaultSize = 50;
    private readonly IDataProtector _protector = protection.CreateProtector("CredBroker.PageToken.v1");

    /// <summary>Which page is asked for.</summary>
    /// <param name="list">The list: its parent, filter and caller.</param>
    /// <param name="size">How many are wished for; 0 for the default.</param>
    /// <param name="token">The token; empty for the first page.</param>
    /// <exception cref="Grpc.Core.RpcException">The token isn't one of this list.</exception>
    public PageRequest Read(string list, int size, string token) =>
        new(size == 0 ? DefaultSize : size, string.IsNullOrEmpty(token) ? null : KeyIn(list, token));

    /// <summary>The token for the page after; empty on the last.</summary>
    public string Write(string list, string? next) =>
        next is null ? "" : Base64Url(_protector.Protect([.. HashOf(list), .. Encoding.UTF8.GetBytes(next)]));

    private string KeyIn(string list, string token)
    {
        try
        {
            var content = _protector.Unprotect(Convert.FromBase64String(Padded(token)));
            if (CryptographicOperations.FixedTimeEquals(content.AsSpan(0, 16), HashOf(list))) return Encoding.UTF8.GetString(content.AsSpan(16));
        }
        catch (Exception e) when (e is CryptographicException or FormatException or ArgumentOutOfRangeException)
        {
            // Whatever is wrong with it, the caller gets one answer.
        }

        throw ErrorStatus.Exception(ErrorStatus.Error(ErrorReason.PageTokenInvalid, "The page token is not one of this list.", [new("page_token", "It is not one of this list.")]));
    }

    private static byte[] HashOf(string list) => SHA256.HashData(Encoding.UTF8.GetBytes(list))[..16];

    private static string Base64Url(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static string Padded(string token) => token.Replace('-', '+').Replace('_', '/') + new string('=', (4 - (token.Length % 4)) % 4);
}
