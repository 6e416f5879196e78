using System.Globalization;
using System.Text.Json;
using CredBroker.Cedar.Tests.Differential;
using Wasmtime;

namespace CredBroker.Benchmarks.Cedar;

/// <summary>The same policies and requests, decided by the official implementation as WebAssembly, with everything parsed beforehand that it lets one parse.</summary>
internal sealed class OfficialMeasurement : IDisposable
{
    private readonly Engine _engine = new(new Config().WithReferenceTypes(true));
    private readonly Module _module;

    private OfficialMeasurement(string path) => _module = Module.FromFile(_engine, path);

    /// <summary>Null if the module is not there.</summary>
    public static OfficialMeasurement? Start() => OracleFile.Find() is { } path ? new OfficialMeasurement(path) : null;

    public string Measure(PolicyWorkload workload, TimeSpan duration)
    {
        using var oracle = new Oracle(_engine, _module);
        oracle.Preparse("preparsePolicySet", "p", $$"""{"staticPolicies": {{JsonSerializer.Serialize(workload.Policies)}} }""");
        var (median, laps) = Laps.Run(duration, 1, number =>
        {
            var answer = oracle.Call("statefulIsAuthorized", workload.CallFor(number % workload.Principals.Count));
            if (answer["response"]?["decision"]?.GetValue<string>() != "allow")
                throw new InvalidOperationException($"not decided as expected: {answer.ToJsonString()}");
        });
        return string.Create(CultureInfo.InvariantCulture, $"  official (WebAssembly, policies parsed beforehand): {median:0} µs a decision ({laps} decisions)");
    }

    public void Dispose()
    {
        _module.Dispose();
        _engine.Dispose();
    }
}
