using Wasmtime;

namespace CredBroker.Cedar.Tests.Differential;

/// <summary>The official implementation as WebAssembly, compiled once. <c>tests/cedar-oracle.sh</c> fetches it.</summary>
internal static class OracleModule
{
    /// <summary>Names the module's file, where it is not where the script leaves it.</summary>
    public const string Variable = "CREDBROKER_TEST_CEDAR_WASM";

    private static readonly Lazy<(Engine Engine, Module Module)?> Loaded = new(Load);

    /// <summary>Skips the running test if the module is not there.</summary>
    public static Oracle Start() => Loaded.Value is { } loaded
        ? new Oracle(loaded.Engine, loaded.Module)
        : throw new IgnoreException($"The official implementation is not there. Run tests/cedar-oracle.sh (it needs npm), or name cedar_wasm_bg.wasm in {Variable}.");

    private static (Engine, Module)? Load()
    {
        if (Find() is not { } path)
            return null;
        var engine = new Engine(new Config().WithReferenceTypes(true));
        return (engine, Module.FromFile(engine, path));
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return File.Exists(named) ? named : throw new FileNotFoundException($"{Variable} names a file that is not there.", named);
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var folder = Path.Combine(at.FullName, ".oracle");
            if (Directory.Exists(folder) && Directory.EnumerateFiles(folder, "cedar-*.wasm").FirstOrDefault() is { } path)
                return path;
        }
        return null;
    }
}
