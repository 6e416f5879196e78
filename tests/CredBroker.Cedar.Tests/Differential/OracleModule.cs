using Wasmtime;

namespace CredBroker.Cedar.Tests.Differential;

/// <summary>The official implementation as WebAssembly, compiled once.</summary>
internal static class OracleModule
{
    private static readonly Lazy<(Engine Engine, Module Module)?> Loaded = new(Load);

    /// <summary>Skips the running test if the module is not there.</summary>
    public static Oracle Start() => Loaded.Value is { } loaded ? new Oracle(loaded.Engine, loaded.Module) : throw new IgnoreException(OracleFile.Missing);

    private static (Engine, Module)? Load()
    {
        if (OracleFile.Find() is not { } path)
            return null;
        var engine = new Engine(new Config().WithReferenceTypes(true));
        return (engine, Module.FromFile(engine, path));
    }
}
