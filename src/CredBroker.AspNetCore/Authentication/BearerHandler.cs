using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using CredBroker.AspNetCore.Errors;
using CredBroker.Contracts.V1;
using CredBroker.Core;
using CredBroker.Core.Identity;
using CredBroker.Core.Leases;
using CredBroker.Core.Workloads;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CredBroker.AspNetCore.Authentication;

/// <summary>Finds out who calls, by the attested token in <c>Authorization: Bearer</c> (RFC 6750, section 2.1). The broker hands out no log-in of its own.</summary>
internal sealed partial class BearerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, Attestor attestor, CallerDirectory directory, RefusalLog refusals)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    /// <summary>The scheme's name.</summary>
    public const string Name = "Bearer";

    private const string Prefix = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization;
        if (header.Count == 0) return AuthenticateResult.NoResult();
        if (header is not [{ } value] || !value.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            return Refuse(ErrorStatus.Error(ErrorReason.CredentialsMissing, "One Authorization header with a Bearer token is needed."));
        try
        {
            return await attestor.AttestAsync(value[Prefix.Length..].Trim(), Context.RequestAborted) switch
            {
                Attestation.Attested { Identity: var identity } => (await directory.IdentifyAsync(identity, Address, Context.RequestAborted)).Match(Accept, Refuse),
                Attestation.Refused refused => Reject(refused),
                _ => throw new InvalidOperationException("An attestation is none of its cases."),
            };
        }
        catch (StoreUnavailableException)
        {
            return Refuse(ErrorStatus.Error(ErrorReason.BrokerUnavailable, "The broker's database cannot answer now.") with { RetryAfter = TimeSpan.FromSeconds(1) });
        }
    }

    private AuthenticateResult Accept(Caller caller)
    {
        Context.Features.Set(caller);
        var identity = new ClaimsIdentity([new System.Security.Claims.Claim(ClaimTypes.Name, caller.Workload.Name)], Name);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Name));
    }

    private AuthenticateResult Refuse(BrokerError error)
    {
        LogRefused(Logger, error.Reason, error.Message, Address);
        return Fail(error);
    }

    private AuthenticateResult Fail(BrokerError error)
    {
        Context.Features.Set(new AuthenticationFault(error));
        return AuthenticateResult.Fail(error.Reason);
    }

    // One answer for every token that is worth nothing. That waiting helps is said to those whose issuer is away, for they can't do anything else.
    private AuthenticateResult Reject(Attestation.Refused refused)
    {
        refusals.Write(refused, Address);
        return Fail(refused.Reason == RefusalReasons.IssuerUnavailable
            ? ErrorStatus.Error(ErrorReason.BrokerUnavailable, "The bearer token can't be verified now.") with { RetryAfter = TimeSpan.FromSeconds(5) }
            : ErrorStatus.Error(ErrorReason.TokenRejected, "The bearer token is not accepted."));
    }

    // One machine has one address, however the socket writes it.
    private IPAddress Address => Context.Connection.RemoteIpAddress switch
    {
        null => IPAddress.None,
        { IsIPv4MappedToIPv6: true } address => address.MapToIPv4(),
        var address => address,
    };

    [LoggerMessage(1, LogLevel.Information, "A caller from {Address} was refused: {Reason}: {Message}")]
    private static partial void LogRefused(ILogger logger, string reason, string message, IPAddress address);
}

/// <summary>Why a caller isn't known, for whoever answers it.</summary>
internal sealed record AuthenticationFault(BrokerError Error);
