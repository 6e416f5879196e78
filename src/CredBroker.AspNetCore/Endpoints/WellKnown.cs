using CredBroker.Core.Signing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CredBroker.AspNetCore.Endpoints;

/// <summary>The metadata and public keys of each key family, below its own issuer's URL, for anybody (OpenID Connect Discovery 1.0, section 4).</summary>
internal static class WellKnown
{
    private const string Cached = "public, max-age=300";

    public static void MapWellKnown(this IEndpointRouteBuilder routes)
    {
        foreach (var family in KeyFamilies.All)
        {
            var at = "/" + KeyFamilies.PathOf(family);
            routes.MapGet($"{at}/.well-known/openid-configuration", (HttpContext context, KeyRing ring) => WriteAsync(context, "application/json", ring.MetadataOf(family).ToJson())).AllowAnonymous();
            routes.MapGet($"{at}/.well-known/jwks.json", (HttpContext context, KeyRing ring) => WriteAsync(context, "application/jwk-set+json", ring.PublicKeysOf(family).ToJson())).AllowAnonymous();
        }
    }

    private static Task WriteAsync(HttpContext context, string type, byte[] document)
    {
        context.Response.ContentType = type;
        context.Response.Headers.CacheControl = Cached;
        return context.Response.Body.WriteAsync(document, context.RequestAborted).AsTask();
    }
}
