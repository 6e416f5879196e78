namespace CredBroker.Cli.Tests.Manifests;

internal static class Samples
{
    public const string All =
        """
        kind: PolicySet
        name: base
        spec:
          kind: scoped
          scope:
            providers: [providers/books]
          text: |
            permit(principal, action, resource);
        ---
        kind: Role
        name: providers/books/roles/writer
        spec:
          kind: login
        ---
        kind: Role
        name: providers/books/roles/reader
        spec:
          kind: login
          maxTtl: 1h
          template:
            groups: [app_reader]
          parameters:
            - name: region
              type: enum
              values: [eu, us]
              required: true
        ---
        kind: Provider
        name: providers/books
        spec:
          type: postgresql
          environment: production
          config:
            host: db.internal
            port: 5432
            note: "no"
        ---
        kind: Hook
        name: runs
        spec:
          identitySources:
            - identitySources/ci
          matchClaims: [repository]
        ---
        kind: IdentitySource
        name: identitySources/ci
        spec:
          type: oidc
          reviewBy: 2030-01-31
          oidc:
            issuer: https://issuer.test
            maxTokenLife: 1h30m
            attributes:
              repository: repository
        status:
          uid: 00000000000000000000000000
          version: "3"
          etag: abc
          createTime: 2026-01-01T00:00:00Z
        """;
}
