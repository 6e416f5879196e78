using CredBroker.Client;
using Grpc.Core;

namespace CredBroker.Cli.Hosting;

/// <summary>What the command's end means to scripts. Part of its contract: <c>docs/cli.md</c> has the same list.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int NotFound = 3;
    public const int Denied = 4;
    public const int Conflict = 5;
    public const int Unavailable = 6;
    public const int NotProven = 7;
    public const int Findings = 8;
    public const int Cancelled = 130;

    public static readonly (int Code, string Meaning)[] All =
    [
        (Ok, "It was done."),
        (Failed, "It failed in a way that none of the others names."),
        (Usage, "The command line, a manifest or a value in them is wrong; nothing was changed."),
        (NotFound, "It isn't there."),
        (Denied, "There is no token, it isn't accepted, or the caller may not."),
        (Conflict, "It exists already, changed meanwhile, or isn't in a state in which that can be done."),
        (Unavailable, "The broker or a provider can't be reached, is too busy, or a quota is used up: trying again later may help."),
        (NotProven, "It was done in part: something is not proven dead yet, or some manifests weren't applied."),
        (Findings, "A check found something: differences, a wrong policy, or a provider that lacks something."),
        (Cancelled, "It was interrupted."),
    ];

    public static int Of(BrokerException fault) => fault.Code switch
    {
        StatusCode.InvalidArgument or StatusCode.OutOfRange => Usage,
        StatusCode.NotFound => NotFound,
        StatusCode.PermissionDenied or StatusCode.Unauthenticated => Denied,
        StatusCode.AlreadyExists or StatusCode.Aborted or StatusCode.FailedPrecondition => Conflict,
        StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.ResourceExhausted => Unavailable,
        StatusCode.Cancelled => Cancelled,
        _ => Failed,
    };
}
