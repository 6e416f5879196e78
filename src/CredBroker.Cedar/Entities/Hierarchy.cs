using System.Collections.Immutable;

namespace CredBroker.Cedar;

/// <summary>Walks of parent relations, without recursion: depth comes from outside.</summary>
internal static class Hierarchy
{
    /// <summary>All that <paramref name="start"/> is in, without itself (unless it is in itself).</summary>
    public static HashSet<T> Ancestors<T>(T start, Func<T, ImmutableArray<T>> parents) where T : notnull
    {
        var seen = new HashSet<T>();
        var open = new Stack<T>(parents(start));
        while (open.TryPop(out var next))
        {
            if (!seen.Add(next))
                continue;
            foreach (var parent in parents(next))
                open.Push(parent);
        }
        return seen;
    }

    /// <summary>One of the nodes that are in themselves, or null.</summary>
    public static T? FindCycle<T>(IEnumerable<T> nodes, Func<T, ImmutableArray<T>> parents) where T : class
    {
        var done = new HashSet<T>();
        var path = new HashSet<T>();
        var work = new Stack<(T Node, int Next)>();
        foreach (var start in nodes)
        {
            if (done.Contains(start))
                continue;
            work.Push((start, 0));
            path.Add(start);
            while (work.TryPop(out var step))
            {
                var above = parents(step.Node);
                if (step.Next >= above.Length)
                {
                    path.Remove(step.Node);
                    done.Add(step.Node);
                    continue;
                }
                work.Push((step.Node, step.Next + 1));
                var parent = above[step.Next];
                if (path.Contains(parent))
                    return parent;
                if (done.Contains(parent))
                    continue;
                path.Add(parent);
                work.Push((parent, 0));
            }
        }
        return null;
    }
}
