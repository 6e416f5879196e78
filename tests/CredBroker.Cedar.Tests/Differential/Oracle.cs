using System.Text;
using System.Text.Json.Nodes;
using Wasmtime;

namespace CredBroker.Cedar.Tests.Differential;

/// <summary>
/// One instance of the official implementation. It was made for JavaScript: its values are references to objects here, and all that it asks of them is to
/// be parsed from JSON and written as JSON. After a trap (deep nesting exhausts its stack) an instance is broken for good and must be thrown away.
/// </summary>
internal sealed class Oracle : IDisposable
{
    private const int Undefined = 0;

    private readonly Store _store;
    private readonly Instance _instance;
    private readonly Memory _memory;
    private readonly Func<int, int, int> _allocate;

    public Oracle(Engine engine, Module module)
    {
        _store = new Store(engine);
        using var linker = new Linker(engine);
        foreach (var import in module.Imports)
            Define(linker, import);
        _instance = linker.Instantiate(_store, module);
        _memory = _instance.GetMemory("memory")!;
        _allocate = _instance.GetFunction<int, int, int>("__wbindgen_malloc")!;
        _instance.GetAction("__wbindgen_start")?.Invoke();
    }

    /// <summary>How many calls it has answered: each leaves a little behind in it.</summary>
    public int Calls { get; private set; }

    /// <summary>Calls a function that takes and returns one object.</summary>
    public JsonNode Call(string function, string argument)
    {
        Calls++;
        var call = _instance.GetFunction<object?, object?>(function) ?? throw new MissingMethodException(function);
        return ResultOf(call(new Json(argument)));
    }

    /// <summary>Has policies or a schema parsed under a name, to be used by later calls.</summary>
    public JsonNode Preparse(string function, string name, string argument)
    {
        var call = _instance.GetFunction<int, int, object?, object?>(function) ?? throw new MissingMethodException(function);
        var (address, length) = Pass(name);
        return ResultOf(call(address, length, new Json(argument)));
    }

    public void Dispose() => _store.Dispose();

    private static JsonNode ResultOf(object? result) =>
        result is Json json ? JsonNode.Parse(json.Text)! : throw new InvalidOperationException("the official implementation returned no object");

    // The names end in hashes that change from build to build.
    private void Define(Linker linker, Import import)
    {
        if (import is not FunctionImport)
            throw new NotSupportedException($"the module wants {import.Name}, which is no function");
        if (import.Name.Contains("is_undefined", StringComparison.Ordinal))
            linker.DefineFunction(import.ModuleName, import.Name, (object? value) => value is int and Undefined ? 1 : 0);
        else if (import.Name.Contains("string_get", StringComparison.Ordinal))
            linker.DefineFunction<int, object?>(import.ModuleName, import.Name, GetString);
        else if (import.Name.Contains("throw", StringComparison.Ordinal))
            linker.DefineFunction<int, int>(import.ModuleName, import.Name, (address, length) => throw new InvalidOperationException(Read(address, length)));
        else if (import.Name.Contains("_parse_", StringComparison.Ordinal))
            linker.DefineFunction<int, int, object?>(import.ModuleName, import.Name, (address, length) => new Json(Read(address, length)));
        else if (import.Name.Contains("_stringify_", StringComparison.Ordinal))
            linker.DefineFunction<object?, object?>(import.ModuleName, import.Name, value => ((Json)value!).Text);
        else if (import.Name.Contains("init_externref_table", StringComparison.Ordinal))
            linker.DefineFunction(import.ModuleName, import.Name, FillTable);
        else
            throw new NotSupportedException($"the module wants {import.Name}, which is unknown here");
    }

    private void FillTable()
    {
        var table = _instance.GetTable("__wbindgen_externrefs")!;
        var offset = (uint)table.Grow(4, null);
        table.SetElement(0, Undefined);
        table.SetElement(offset, Undefined);
        table.SetElement(offset + 1, null);
        table.SetElement(offset + 2, true);
        table.SetElement(offset + 3, false);
    }

    private void GetString(int target, object? value)
    {
        var (address, length) = value is string text ? Pass(text) : (0, 0);
        _memory.WriteInt32(target, address);
        _memory.WriteInt32(target + 4, length);
    }

    private (int Address, int Length) Pass(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var address = _allocate(bytes.Length, 1);
        bytes.CopyTo(_memory.GetSpan(address, bytes.Length));
        return (address, bytes.Length);
    }

    private string Read(int address, int length) => Encoding.UTF8.GetString(_memory.GetSpan((uint)address, length));

    /// <summary>An object, as its JSON.</summary>
    private sealed record Json(string Text);
}
