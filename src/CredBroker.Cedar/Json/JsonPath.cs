using System.Globalization;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>Where in a JSON document something stands. Written out only for an error: names may be long and nest deep.</summary>
internal sealed class JsonPath
{
    private const int MaxLength = 200;

    public static readonly JsonPath Root = new(null, "$");

    private readonly JsonPath? _parent;
    private readonly string _step;
    private readonly int _index;

    private JsonPath(JsonPath? parent, string step, int index = -1) => (_parent, _step, _index) = (parent, step, index);

    public JsonPath Child(string name) => new(this, name);

    public JsonPath At(int index) => new(this, $"[{index.ToString(CultureInfo.InvariantCulture)}]", index);

    /// <summary>The steps from the root: a name, or a place in an array.</summary>
    public IReadOnlyList<(string Name, int Index)> Steps()
    {
        var steps = new List<(string, int)>();
        for (var at = this; at._parent is not null; at = at._parent)
            steps.Add((at._step, at._index));
        steps.Reverse();
        return steps;
    }

    public override string ToString()
    {
        var steps = new List<string>();
        var length = 0;
        var at = this;
        for (; at is not null && length < MaxLength; at = at._parent)
        {
            steps.Add(at._step.Length <= 40 ? at._step : $"{at._step[..40]}…");
            length += steps[^1].Length;
        }
        if (at is not null)
            steps.Add("…");
        steps.Reverse();
        return Quoting.Quote(string.Join('.', steps).Replace(".[", "[", StringComparison.Ordinal))[1..^1];
    }
}
