using System.Collections.Frozen;
using System.Collections.Immutable;

namespace CredBroker.Cedar.Expressions;

/// <summary>A function or method of the extension types <c>ipaddr</c>, <c>decimal</c>, <c>datetime</c> and <c>duration</c>.</summary>
public sealed class ExtensionFunction
{
    private const long Day = CedarDatetime.MillisecondsPerDay;

    private static readonly FrozenDictionary<string, ExtensionFunction> All = new[]
    {
        Constructor("ip", "ipaddr", s => CedarIpAddress.TryParse(s, out var v) ? v : null),
        Constructor("decimal", "decimal", s => CedarDecimal.TryParse(s, out var v) ? v : null),
        Constructor("datetime", "datetime", s => CedarDatetime.TryParse(s, out var v) ? v : null),
        Constructor("duration", "duration", s => CedarDuration.TryParse(s, out var v) ? v : null),
        Method<CedarIpAddress>("isIpv4", "ipaddr", "Bool", ip => ip.IsIpv4),
        Method<CedarIpAddress>("isIpv6", "ipaddr", "Bool", ip => !ip.IsIpv4),
        Method<CedarIpAddress>("isLoopback", "ipaddr", "Bool", ip => ip.IsLoopback),
        Method<CedarIpAddress>("isMulticast", "ipaddr", "Bool", ip => ip.IsMulticast),
        Method<CedarIpAddress, CedarIpAddress>("isInRange", "ipaddr", "ipaddr", "Bool", (ip, range) => ip.IsInRange(range)),
        Method<CedarDecimal, CedarDecimal>("lessThan", "decimal", "decimal", "Bool", (a, b) => a.TenThousandths < b.TenThousandths),
        Method<CedarDecimal, CedarDecimal>("lessThanOrEqual", "decimal", "decimal", "Bool", (a, b) => a.TenThousandths <= b.TenThousandths),
        Method<CedarDecimal, CedarDecimal>("greaterThan", "decimal", "decimal", "Bool", (a, b) => a.TenThousandths > b.TenThousandths),
        Method<CedarDecimal, CedarDecimal>("greaterThanOrEqual", "decimal", "decimal", "Bool", (a, b) => a.TenThousandths >= b.TenThousandths),
        Method<CedarDatetime, CedarDuration>("offset", "datetime", "duration", "datetime",
            (t, d) => Fits((Int128)t.Milliseconds + d.Milliseconds) is { } ms ? new CedarDatetime(ms) : null),
        Method<CedarDatetime, CedarDatetime>("durationSince", "datetime", "datetime", "duration",
            (t, u) => Fits((Int128)t.Milliseconds - u.Milliseconds) is { } ms ? new CedarDuration(ms) : null),
        Method<CedarDatetime>("toDate", "datetime", "datetime",
            t => Fits((Int128)t.Milliseconds - TimeOfDay(t)) is { } ms ? new CedarDatetime(ms) : null),
        Method<CedarDatetime>("toTime", "datetime", "duration", t => new CedarDuration(TimeOfDay(t))),
        Method<CedarDuration>("toMilliseconds", "duration", "Long", d => d.Milliseconds),
        Method<CedarDuration>("toSeconds", "duration", "Long", d => d.Milliseconds / 1_000),
        Method<CedarDuration>("toMinutes", "duration", "Long", d => d.Milliseconds / 60_000),
        Method<CedarDuration>("toHours", "duration", "Long", d => d.Milliseconds / 3_600_000),
        Method<CedarDuration>("toDays", "duration", "Long", d => d.Milliseconds / Day),
    }.ToFrozenDictionary(f => f.Name, StringComparer.Ordinal);

    private delegate string? Check(ReadOnlySpan<CedarValue> arguments);

    private delegate CedarValue? Body(ReadOnlySpan<CedarValue> arguments);

    private readonly Check _check;
    private readonly Body _body;

    private ExtensionFunction(string name, bool isConstructor, ImmutableArray<string> parameters, string result,
        Check check, Body body) =>
        (Name, IsConstructor, Parameters, Result, _check, _body) = (name, isConstructor, parameters, result, check, body);

    /// <summary>The name it is called by.</summary>
    public string Name { get; }

    /// <summary>Whether it makes a value from a String (<c>ip("…")</c>); else it is a method.</summary>
    public bool IsConstructor { get; }

    /// <summary>The names of the parameters' types; of a method, first that of what it is called on.</summary>
    public ImmutableArray<string> Parameters { get; }

    /// <summary>The name of the result's type.</summary>
    public string Result { get; }

    internal static ExtensionFunction? Find(string name) => All.GetValueOrDefault(name);

    /// <summary>The result; or null, and why.</summary>
    internal CedarValue? Invoke(ReadOnlySpan<CedarValue> arguments, out string? error)
    {
        error = arguments.Length == Parameters.Length
            ? _check(arguments)
            : $"{Name} takes {Parameters.Length} argument(s) and was given {arguments.Length}";
        if (error is not null)
            return null;
        var result = _body(arguments);
        error = result is not null ? null : IsConstructor ? $"{arguments[0]} is no {Result}" : $"the result of {Name} overflows";
        return result;
    }

    private static ExtensionFunction Constructor(string name, string type, Func<string, CedarValue?> parse) =>
        new(name, true, ["String"], type, a => Wrong<CedarString>(name, "String", a[0]), a => parse(((CedarString)a[0]).Value));

    private static ExtensionFunction Method<T>(string name, string type, string result, Func<T, CedarValue?> body) where T : CedarValue =>
        new(name, false, [type], result, a => Wrong<T>(name, type, a[0]), a => body((T)a[0]));

    private static ExtensionFunction Method<T, TArgument>(string name, string type, string argument, string result,
        Func<T, TArgument, CedarValue?> body) where T : CedarValue where TArgument : CedarValue =>
        new(name, false, [type, argument], result, a => Wrong<T>(name, type, a[0]) ?? Wrong<TArgument>(name, argument, a[1]),
            a => body((T)a[0], (TArgument)a[1]));

    private static string? Wrong<T>(string name, string type, CedarValue value) =>
        value is T ? null : $"{name} needs {type}, and was given {value.TypeName}";

    private static long? Fits(Int128 value) => value >= long.MinValue && value <= long.MaxValue ? (long)value : null;

    // Days begin at midnight also before 1970, so the remainder is never negative.
    private static long TimeOfDay(CedarDatetime time) => ((time.Milliseconds % Day) + Day) % Day;
}
