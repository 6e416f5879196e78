using CredBroker.AspNetCore.Errors;
using CredBroker.AspNetCore.Json;
using CredBroker.AspNetCore.Paging;
using CredBroker.AspNetCore.Validation;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.AspNetCore;

/// <summary>The edge that every call passes, whichever service it is for: one error model, strict JSON, the contract's rules.</summary>
internal static class Transport
{
    public static IServiceCollection AddTransport(this IServiceCollection services)
    {
        services.AddGrpc(Configure).AddJsonTranscoding(options =>
        {
            options.TypeRegistry = ErrorStatus.DetailTypes;
            options.JsonSettings.WriteInt64sAsStrings = true;
        });
        services.AddDataProtection();
        services.AddSingleton<PageTokens>();
        return services;
    }

    /// <summary>In this order: errors see everything after them; a stranger is turned away before his body is read.</summary>
    public static void UseTransport(this IApplicationBuilder app, Action<IApplicationBuilder> authenticate)
    {
        app.UseErrorPages();
        app.UseRouting();
        authenticate(app);
        app.UseStrictJson();
    }

    // Credentials aren't compressed: length would tell of their content. Clients that send compressed requests are served.
    private static void Configure(GrpcServiceOptions options)
    {
        options.EnableDetailedErrors = false;
        // gRPC's own answer for unknown services would catch every path of two segments; the error pages answer both transports.
        options.IgnoreUnknownServices = true;
        options.ResponseCompressionAlgorithm = null;
        options.MaxReceiveMessageSize = StrictJson.MostBytes;
        options.Interceptors.Add<ErrorInterceptor>();
        options.Interceptors.Add<ValidationInterceptor>();
    }
}
