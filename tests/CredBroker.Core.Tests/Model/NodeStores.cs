using System.Reflection;
using CredBroker.Core.Leases;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.Core.Tests.Model;

/// <summary>How a store's call goes.</summary>
internal enum Commit
{
    /// <summary>It is committed, and says so.</summary>
    Answered,

    /// <summary>It is not committed, and says so.</summary>
    Refused,

    /// <summary>It is committed; its answer is lost.</summary>
    AnswerLost,

    /// <summary>It is not committed, and nobody knows.</summary>
    LostOnTheWay,
}

/// <summary>Puts the world before every store of a node: each call is a step of its own, which others may precede, and which may fail.</summary>
internal static class NodeStores
{
    /// <summary>Registers every store that the shared database has, as this node sees it.</summary>
    public static void Add(IServiceCollection services, IServiceProvider shared, IEnumerable<Type> stores, ModelNode node)
    {
        foreach (var store in stores)
        {
            var proxy = (StoreCalls)DispatchProxy.Create(store, typeof(StoreCalls));
            proxy.Set(shared.GetRequiredService(store), node);
            services.AddSingleton(store, proxy);
        }
    }

    /// <summary>The stores that Core asks for, as they are registered: a new one is watched like the others.</summary>
    public static IReadOnlyList<Type> Of(IServiceCollection services) =>
        [.. services.Select(service => service.ServiceType).Where(type => type.IsInterface && type.Assembly == typeof(ILeaseStore).Assembly)];

    /// <summary>One store as one node sees it.</summary>
    public class StoreCalls : DispatchProxy
    {
        private static readonly MethodInfo Typed = typeof(StoreCalls).GetMethod(nameof(CallAsync), BindingFlags.NonPublic | BindingFlags.Instance)!;
        private object _inner = null!;
        private ModelNode _node = null!;

        internal void Set(object inner, ModelNode node) => (_inner, _node) = (inner, node);

        /// <inheritdoc/>
        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var answer = targetMethod!.ReturnType is { IsGenericType: true } type ? type.GetGenericArguments()[0] : typeof(bool);
            return Typed.MakeGenericMethod(answer).Invoke(this, [targetMethod, args]);
        }

        private async Task<T> CallAsync<T>(MethodInfo method, object?[] args)
        {
            if (_node.Starting) return Run<T>(method, args);
            var commit = await _node.CommitAsync(method.Name, () => Run<T>(method, args));
            if (commit == Commit.Refused) throw new StoreUnavailableException("The database cannot be reached.", outcomeUnknown: false);
            if (commit == Commit.LostOnTheWay) throw new StoreUnavailableException("The commit's answer was lost.", outcomeUnknown: true);
            var answer = Run<T>(method, args);
            if (commit == Commit.AnswerLost) throw new StoreUnavailableException("The commit's answer was lost.", outcomeUnknown: true);
            return answer;
        }

        private T Run<T>(MethodInfo method, object?[] args)
        {
            _node.World.Promises.Before(method.Name, args);
            var answer = _node.World.Pump.Outside(async () =>
            {
                var running = (Task)method.Invoke(_inner, args)!;
                await running;
                return running is Task<T> typed ? await typed : default!;
            });
            _node.World.Promises.After(method.Name, args, answer);
            return answer;
        }
    }
}
