using System.Reflection;
using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using CredBroker.Core.Workloads;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.Core.Tests.Engine;

/// <summary>Notes every call to the stores, in order: what an answer costs, without a clock.</summary>
public sealed class CountedCalls
{
    private readonly List<string> _calls = [];

    /// <summary>The calls since the last time that this was asked.</summary>
    public IReadOnlyList<string> Take()
    {
        lock (_calls)
        {
            string[] taken = [.. _calls];
            _calls.Clear();
            return taken;
        }
    }

    /// <summary>Puts itself before every store that is registered.</summary>
    public void Watch(IServiceCollection services)
    {
        Wrap<ITaskStore>(services);
        Wrap<IWorkloadStore>(services);
        Wrap<IRegistryStore>(services);
        Wrap<ILeaseStore>(services);
        Wrap<IAuditLog>(services);
    }

    private void Wrap<TStore>(IServiceCollection services)
        where TStore : class
    {
        var inner = services.Last(service => service.ServiceType == typeof(TStore));
        services.AddSingleton(provider =>
        {
            var proxy = DispatchProxy.Create<TStore, Proxy>();
            var store = inner.ImplementationFactory?.Invoke(provider) ?? inner.ImplementationInstance ?? ActivatorUtilities.CreateInstance(provider, inner.ImplementationType!);
            ((Proxy)(object)proxy).Set(store, name =>
            {
                lock (_calls) _calls.Add($"{typeof(TStore).Name}.{name}");
            });
            return proxy;
        });
    }

    /// <summary>A store that notes and passes on.</summary>
    public class Proxy : DispatchProxy
    {
        private object? _inner;
        private Action<string>? _note;

        /// <summary>What it stands before.</summary>
        public void Set(object inner, Action<string> note) => (_inner, _note) = (inner, note);

        /// <inheritdoc/>
        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            _note!(targetMethod!.Name);
            return targetMethod.Invoke(_inner, args);
        }
    }
}
