namespace CredBroker.Testing.Scripted;

/// <summary>The script of a target, and the record of what was called. Safe for concurrent use.</summary>
public sealed class ScriptedCalls
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ScriptedOperation, Queue<ScriptedStep>> _next = [];
    private readonly Dictionary<ScriptedOperation, ScriptedStep> _always = [];
    private readonly List<(ScriptedOperation Operation, string Name)> _made = [];

    /// <summary>How the next calls of this sort go, one step each; after these, as <see cref="Always"/> says.</summary>
    public void Next(ScriptedOperation operation, params IEnumerable<ScriptedStep> steps)
    {
        ArgumentNullException.ThrowIfNull(steps);
        lock (_lock)
        {
            if (!_next.TryGetValue(operation, out var queue)) _next[operation] = queue = new();
            foreach (var step in steps) queue.Enqueue(step);
        }
    }

    /// <summary>How every call of this sort goes for which no next step is set. Null: as it should.</summary>
    public void Always(ScriptedOperation operation, ScriptedStep? step)
    {
        lock (_lock)
        {
            if (step is null) _always.Remove(operation);
            else _always[operation] = step;
        }
    }

    /// <summary>How many calls of this sort were made.</summary>
    public int Count(ScriptedOperation operation)
    {
        lock (_lock) return _made.Count(call => call.Operation == operation);
    }

    /// <summary>Every call in its order, with the external name that it was about.</summary>
    public IReadOnlyList<(ScriptedOperation Operation, string Name)> Made
    {
        get
        {
            lock (_lock) return [.. _made];
        }
    }

    internal ScriptedStep Take(ScriptedOperation operation, string name)
    {
        lock (_lock)
        {
            _made.Add((operation, name));
            if (_next.TryGetValue(operation, out var queue) && queue.TryDequeue(out var step)) return step;
            return _always.GetValueOrDefault(operation) ?? new ScriptedStep();
        }
    }
}
