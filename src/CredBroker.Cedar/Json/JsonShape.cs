using System.Text.Json;
using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>Unwinds from JSON of the wrong shape.</summary>
internal sealed class JsonShapeException(JsonPath path, string message) : Exception(message)
{
    public JsonPath Path { get; } = path;
}

/// <summary>Demands of parsed JSON what a format says of its shape.</summary>
internal sealed class JsonShape(string file)
{
    // More say nothing new, and each takes a walk through the text.
    private const int MaxErrors = 20;

    private readonly List<JsonShapeException> _errors = [];

    public string File => file;

    /// <summary>What was found so far of the things that were read by <see cref="Many{T}"/>.</summary>
    public IReadOnlyList<JsonShapeException> Errors => _errors;

    /// <summary>Reads one of several independent things: what is wrong with it is kept, and the next is read all the same. Null after an error.</summary>
    public T? Many<T>(Func<T> read) where T : class
    {
        try
        {
            return read();
        }
        catch (JsonShapeException error)
        {
            _errors.Add(error);
            if (_errors.Count >= MaxErrors)
                throw;
            return null;
        }
    }

    /// <summary>Fails if something was wrong with what was read by <see cref="Many{T}"/>.</summary>
    public void ThrowIfWrong()
    {
        if (_errors is [.., var last])
            throw last;
    }

    public JsonElement Required(JsonElement json, string name, JsonPath path) =>
        json.TryGetProperty(name, out var value) ? value : throw Wrong(path, $"'{name}' is missing");

    public void Expect(JsonElement json, JsonValueKind kind, JsonPath path)
    {
        if (json.ValueKind != kind)
            throw Wrong(path, $"expected {kind}, found {json.ValueKind}");
    }

    public void ExpectNames(JsonElement json, JsonPath path, string[] names)
    {
        Expect(json, JsonValueKind.Object, path);
        foreach (var property in json.EnumerateObject())
        {
            if (!names.Contains(property.Name))
                throw Wrong(path, $"{Quoting.Quote(property.Name)} is unknown here");
        }
    }

    public (string Name, JsonElement Value) OnlyMember(JsonElement json, JsonPath path)
    {
        Expect(json, JsonValueKind.Object, path);
        var members = json.EnumerateObject().Take(2).ToList();
        return members is [var only] ? (only.Name, only.Value) : throw Wrong(path, "expected an object with exactly one member");
    }

    public string Text(JsonElement json, JsonPath path)
    {
        Expect(json, JsonValueKind.String, path);
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong(path, "the text is not valid Unicode");
        }
    }

    public string TypeName(JsonElement json, JsonPath path)
    {
        var name = Text(json, path);
        return Names.IsPath(name) ? name : throw Wrong(path, $"{Quoting.Quote(name)} is no entity type name");
    }

    /// <summary>An extension call as values write it: <c>{"fn": …, "arg": …}</c> or <c>{"fn": …, "args": […]}</c>.</summary>
    public (ExtensionFunction Function, IReadOnlyList<JsonElement> Arguments) ReadCall(JsonElement call, JsonPath path)
    {
        ExpectNames(call, path, ["fn", "arg", "args"]);
        var name = Text(Required(call, "fn", path), path);
        if (ExtensionFunction.Find(name) is not { } function)
            throw Wrong(path, $"there is no extension function {Quoting.Quote(name)}");
        if (!call.TryGetProperty("args", out var many))
            return (function, [Required(call, "arg", path)]);
        ExpectNames(call, path, ["fn", "args"]);
        Expect(many, JsonValueKind.Array, path);
        return (function, [.. many.EnumerateArray()]);
    }

    public JsonShapeException Wrong(JsonPath path, string message) =>
        new(path, $"{path}: {message}");
}
